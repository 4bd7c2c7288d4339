"""How fast a training runs."""

import time

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from bokehbench.batch import Batch
from bokehbench.callbacks.active_loggers import active_loggers


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
