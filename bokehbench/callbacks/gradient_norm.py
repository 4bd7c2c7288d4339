"""The gradient's norm: the first thing to look at when a training goes wrong."""

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from bokehbench.callbacks.active_loggers import active_loggers


class GradientNorm(Callback):
    """Log ``gradient_norm``: L2 over all trained parameters, before clipping, at the steps that are logged.

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
