"""Pictures of ``predict``: one PNG per input."""

from pathlib import Path
from typing import Any

from pytorch_lightning import LightningModule, Trainer

from bokehbench.data.image_io import write_photo
from bokehbench.remote.output import Output
from bokehbench.run_folder import InRunFolder


class PictureWriter(InRunFolder):
    """Write every prediction to ``FOLDER/NAME.png``.

    Args:
        folder: where to, a path or a URL; None = ``RUN/predictions``.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.output = None if folder is None else Output(folder)

    @property
    def place(self) -> Path:
        """Where the pictures go."""
        return self.output.path if self.output else self.run_folder / "predictions"

    def on_predict_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any) -> None:
        """Write at once, so that an interrupted run keeps what it did."""
        self.place.mkdir(parents=True, exist_ok=True)
        for name, picture in zip(outputs["name"], outputs["output"], strict=True):
            write_photo(path := self.place / f"{name}.png", picture)
            if self.output is not None:
                self.output.put(path)
