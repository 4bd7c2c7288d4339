"""How long a training took, and on what: part of every result's provenance."""

from __future__ import annotations

import time
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from bokehbench.machine import device_in_words


class TrainingClock(Callback):
    """Write wall time (seconds, validation included, over all stages and resumptions) and device into checkpoints."""

    def __init__(self) -> None:
        self.device = ""
        self._before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """Wall time of training so far."""
        return self._before + (time.monotonic() - self._since if self._since is not None else 0.0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A stage begins (each is a fit of its own)."""
        self.device = device_in_words(pl_module.device, trainer.world_size)
        self._since = time.monotonic()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A stage ended."""
        self._before, self._since = self.seconds, None

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"seconds": round(self.seconds, 1), "device": self.device}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """A resumed run goes on counting where the checkpoint ended."""
        self._before = float(state_dict["seconds"])
