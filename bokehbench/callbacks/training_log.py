"""What is logged about a training besides its losses: the gradient's norm, and how fast it runs."""

import time

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from bokehbench.batch import Batch
from bokehbench.callbacks.active_loggers import active_loggers


class GradientNorm(Callback):
    """Log ``gradient_norm``: L2 over all trained parameters, before clipping, at the steps that are logged.

    It is the first thing to look at when a training goes wrong.

    Other steps pay nothing, and a GPU is not waited for: the value stays a tensor until the logger wants it.
    """

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        """Unscaled and not yet clipped."""
        if not active_loggers(trainer) or (trainer.global_step + 1) % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        trained = (parameter for group in optimizer.param_groups for parameter in group["params"])
        gradients = [parameter.grad for parameter in trained if parameter.grad is not None]
        if gradients:
            pl_module.log("gradient_norm", get_total_norm(gradients))


class Throughput(Callback):
    """Log ``images_per_second`` (over all devices) and ``seconds_per_step``, means since the last logged step.

    Waiting for data counts, validation and the writing of checkpoints at a stage's end do not. The clock is read where
    the loss is logged, which waits for a GPU anyway; Lightning's ``ThroughputMonitor`` waits for it at every batch.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._images = 0
        self._step = 0

    def start_again(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A stage or a validation begins; the next batch, which builds buffers and kernels, is not counted."""
        self._since = None

    on_train_epoch_start = on_validation_start = start_again

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, *args: object
    ) -> None:
        """Count, and log when it is time."""
        now, step = time.monotonic(), trainer.global_step
        if self._since is None:
            self._since, self._images, self._step = now, 0, step
            return
        self._images += len(batch["image"]) * trainer.world_size
        if not active_loggers(trainer) or step == self._step or step % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        seconds = now - self._since
        pl_module.log("images_per_second", self._images / seconds)
        pl_module.log("seconds_per_step", seconds / (step - self._step))
        self._since, self._images, self._step = now, 0, step
