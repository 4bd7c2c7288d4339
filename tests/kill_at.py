"""A callback for tests: the process is killed before a certain step, as by a power cut."""

from __future__ import annotations

import os
import signal

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback


class KillAt(Callback):
    """SIGKILL before optimiser step ``step``."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)
