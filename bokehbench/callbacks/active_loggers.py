"""Which of a trainer's loggers keep anything."""

from pytorch_lightning import Trainer
from pytorch_lightning.loggers import Logger, TensorBoardLogger, WandbLogger


def active_loggers(trainer: Trainer) -> list[Logger]:
    """The loggers of this process that write: none in a ``fast_dev_run``, under ``WANDB_MODE=disabled``, off rank 0.

    A user's own class counts as one that writes.
    """
    if not trainer.is_global_zero or getattr(trainer, "fast_dev_run", False):
        return []
    return [
        logger
        for logger in trainer.loggers  # asks W&B, which begins the run
        if not (isinstance(logger, WandbLogger) and getattr(logger.experiment, "disabled", False))
    ]


def wandb_loggers(trainer: Trainer) -> list[WandbLogger]:
    """Those of W&B among the :func:`active_loggers`."""
    return [logger for logger in active_loggers(trainer) if isinstance(logger, WandbLogger)]


def picture_loggers(trainer: Trainer) -> list[WandbLogger | TensorBoardLogger]:
    """Those that can show pictures among the :func:`active_loggers`."""
    return [logger for logger in active_loggers(trainer) if isinstance(logger, WandbLogger | TensorBoardLogger)]
