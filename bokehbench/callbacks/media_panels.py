"""The same few validation pictures at every validation, in W&B and TensorBoard."""

from typing import Any

import numpy as np
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import WandbLogger
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.callbacks.active_loggers import picture_loggers
from bokehbench.models.base import BokehModel
from bokehbench.pictures import shown

#: The absolute difference (mean over colours) that an error map shows as its brightest colour.
LARGEST_ERROR = 0.25


class MediaPanels(Callback):
    """Show what the method makes of the first validation pictures: input, disparity or defocus, output, target, error.

    One row of panels per picture, ``panels/NAME``, with one entry per validation, so that a slider shows the training.
    Without W&B or TensorBoard nothing is rendered.

    Args:
        pictures: how many, the first in the data set's own order (of the first process).
        side: longest side of what is shown, in pixels; larger pictures are shrunk.
    """

    def __init__(self, pictures: int = 4, side: int = 512) -> None:
        self.pictures, self.side = pictures, side
        self.rows: dict[str, dict[str, np.ndarray]] = {}

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        """Render one of the first pictures."""
        wanted = len(self.rows) < self.pictures and not trainer.sanity_checking
        if wanted and isinstance(pl_module, BokehModel) and picture_loggers(trainer):
            self.rows[batch["name"][0]] = {
                title: shown(picture, min(1.0, self.side / max(picture.shape[-2:])))
                for title, picture in titled(pl_module, batch).items()
            }

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Hand over."""
        for logger in picture_loggers(trainer):
            for name, panels in self.rows.items():
                if isinstance(logger, WandbLogger):
                    logger.log_image(f"panels/{name}", list(panels.values()), trainer.global_step, caption=list(panels))
                else:
                    for title, pixels in panels.items():
                        logger.experiment.add_image(f"{name}/{title}", pixels, trainer.global_step, dataformats="HWC")
        self.rows = {}


def titled(model: BokehModel, batch: Batch) -> dict[str, Tensor]:
    """Titled pictures of a batch's first item, C H W each, C = 1 or 3, with the error map (C = 1) last.

    While a stage trains nothing but depth, the network's disparity stands where the output would.
    """
    if model.stage is not None and model.stage.monitor == "val/depth_mae":
        true = batch.get("true_disparity", batch.get("disparity"))
        own = model.disparity(batch["image"], batch["name"])
        assert own is not None, "a stage that trains depth has it"
        panels = {"input": batch["image"], "own disparity (bright = near)": own}
        if true is not None:
            panels |= {"true disparity": true, "error": (own - true).abs() / LARGEST_ERROR}
    else:
        panels = dict(model.panels(batch))
        if "output" in panels and "target" in panels:
            panels["error"] = (panels["output"] - panels["target"]).abs().mean(1, keepdim=True) / LARGEST_ERROR
    return {title: picture[0] for title, picture in panels.items()}
