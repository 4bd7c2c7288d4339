"""How far a run is, for the suite or the sweep that started it."""

import time
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from bokehbench.callbacks.progress import span
from bokehbench.models.base import BokehModel
from bokehbench.status_file import watched, write_status

#: Seconds between two reports.
PAUSE = 0.5


class StepProgress(Callback):
    """Report which share of all steps of all stages, or of all test pictures, is done, at most twice a second.

    With or without a progress bar; nothing is written where no runner started the process.
    """

    def __init__(self) -> None:
        self._last = 0.0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """The stage, and its place among the steps of the whole run."""
        if self._due(trainer) and isinstance(pl_module, BokehModel) and pl_module.stage is not None:
            start, end = span(pl_module.stages, pl_module.stage)
            share = start + (end - start) * min((batch_idx + 1) / trainer.num_training_batches, 1)
            write_status(share=round(share, 4), what=pl_module.stage.name)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int, *args: Any
    ) -> None:
        """The share of the pictures."""
        if self._due(trainer):
            write_status(share=round((batch_idx + 1) / sum(trainer.num_test_batches), 4), what="")

    def _due(self, trainer: Trainer) -> bool:
        now = time.monotonic()
        if not watched() or not trainer.is_global_zero or now - self._last < PAUSE:
            return False
        self._last = now
        return True
