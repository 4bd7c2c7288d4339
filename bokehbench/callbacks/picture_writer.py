"""Pictures of ``predict``: one PNG per input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from bokehbench.callbacks.run_folder import run_folder
from bokehbench.data.image_io import write_photo


class PictureWriter(Callback):
    """Write every prediction to ``FOLDER/NAME.png``.

    Args:
        folder: where to; None = ``RUN/predictions``.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder
        self.written = 0

    def _place(self, trainer: Trainer) -> Path:
        return Path(self.folder) if self.folder else run_folder(trainer) / "predictions"

    def on_predict_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any) -> None:
        """Write at once, so that an interrupted run keeps what it did."""
        self._place(trainer).mkdir(parents=True, exist_ok=True)
        for name, picture in zip(outputs["name"], outputs["output"], strict=True):
            write_photo(self._place(trainer) / f"{name}.png", picture)
            self.written += 1

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say where they are."""
        folder = self._place(trainer)
        if trainer.is_global_zero:
            print(f"Pictures: {folder}")
