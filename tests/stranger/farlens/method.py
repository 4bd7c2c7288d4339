"""One 3 x 3 convolution on picture and disparity, added to the picture."""

from typing import Any

import torch
from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.losses import mean_absolute_error
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses


class Shade(BokehModel):
    """A method with one stage.

    Args:
        kernel: side of the convolution, odd.
        rendering: recipe of the only stage.
    """

    title = "Shade"
    paper = "nobody"
    architecture = ("kernel",)
    uses = Uses(focus=False, aperture=False, disparity="needed")

    def __init__(
        self,
        kernel: int = 3,
        rendering: StageRecipe = StageRecipe(2, 2, 1e-3, height=16, width=16),
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.net = nn.Conv2d(4, 3, kernel, padding=kernel // 2)
        self.set_up(Stage("rendering", rendering, needs=("image", "bokeh", "disparity")))

    def forward(self, image: Tensor, disparity: Tensor) -> Tensor:
        return image + 0.1 * self.net(torch.cat((image, disparity), 1))

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        return {"l1": mean_absolute_error(self(batch["image"], batch["disparity"]), batch["bokeh"])}

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return self(image, disparity).clamp(0, 1)
