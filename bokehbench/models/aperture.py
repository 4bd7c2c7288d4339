"""Aperture: a depth network taught by shallow depth of field alone (DeepLens' baseline, after Srinivasan 2018)."""

from typing import Any

import torch
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError, check_options, nearest, within
from bokehbench.losses import mean_absolute_error
from bokehbench.models.base import BokehModel
from bokehbench.models.baselines.compositional import LARGEST_STEP, SMALLEST_STEP
from bokehbench.models.doors import LARGEST_SHARE
from bokehbench.models.published import Published
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses
from bokehbench.nets.aperture_net import ApertureNet, Output
from bokehbench.optics import compositional, to_linear, to_srgb


class Aperture(BokehModel):
    """One stage, ``depth``: DeepLens' depth network through the compositional renderer, L1 on the picture.

    No disparity is read in training. The renderer has no weights: what is learned is the disparity that best explains
    the blur, focus and aperture being given.

    Args:
        depth_size: side of the square that the depth network sees, in pixels.
        backbone_pretrained: start its ResNet-50 from ImageNet weights (downloads them).
        output: what makes a disparity of the network's output: ``sigmoid``, on the scale of the data set's focus, or
            ``minmax`` per picture, as in DeepLens.
        step: pixels between the radii of the renderer's disks, 0.05 to 100.
        aperture_share: the aperture where none is given, as a share (0 to 0.5) of the photo's long side.
        use_given_disparity: test and predict with the data set's disparity instead of the network's.
        depth: recipe of the only stage.
    """

    title = "Aperture"
    paper = (
        "the baseline of Wang et al., DeepLens, 2018, arXiv 1810.08100, "
        "after Srinivasan et al., CVPR 2018, arXiv 1711.07933"
    )
    published = Published(9_466_689, {"depth_size": 320})
    uses = Uses(disparity="own")

    def __init__(
        self,
        depth_size: int = 320,
        backbone_pretrained: bool = False,
        output: Output = "sigmoid",
        step: float = 1.0,
        aperture_share: float = 0.025,
        use_given_disparity: bool = False,
        depth: StageRecipe = StageRecipe(
            steps=346_224, batch_size=16, learning_rate=1e-4, weight_decay=5e-4, view="resize", height=320, width=320
        ),
        **training: Any,
    ) -> None:
        super().__init__(**training)
        if output not in ("sigmoid", "minmax"):
            raise BokehbenchError(f"--model.output {output}: {nearest(output, ('sigmoid', 'minmax'))}.")
        check_options(
            "--model.",
            within("depth_size", depth_size, 32, 4096, "pixels"),
            within("step", step, SMALLEST_STEP, LARGEST_STEP, "pixels"),
            within("aperture_share", aperture_share, 0, LARGEST_SHARE),
        )
        self.step, self.aperture_share = step, aperture_share
        if not use_given_disparity:
            self.rendered_with = ("focus", "aperture")
        self.net = ApertureNet(depth_size, backbone_pretrained and self.starts_fresh, output)
        keys = ("image", "bokeh", "focus", "aperture")
        self.set_up(Stage("depth", depth, keys=keys, needs=keys))

    # Training --------------------------------------------------------------------------------------------------

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """L1 between the picture, rendered with the predicted disparity, and the target, both gamma-encoded."""
        image = batch["image"]
        rendered = self.blur(image, self.net.predict_disparity(image), batch["focus"], batch["aperture"])
        return {"l1": mean_absolute_error(rendered, batch["bokeh"])}

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """:func:`compositional` in linear light of gamma-encoded pictures in [0, 1]; with gradient to ``disparity``."""
        return to_srgb(compositional(to_linear(image), disparity, focus, aperture, step=self.step))

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Rendering scores, and the depth error after the 5-knot spline where the true disparity is known."""
        return super().validation_scores(batch) | self.depth_scores(batch)

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Besides those of every method, the predicted disparity."""
        panels = super().panels(batch)
        last: dict[str, Tensor] = {title: panels.pop(title) for title in ("output", "target") if title in panels}
        with torch.no_grad():
            return {**panels, "predicted disparity": self.net.predict_disparity(batch["image"]), **last}

    # Rendering -------------------------------------------------------------------------------------------------

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """The network's."""
        return self.net.predict_disparity(image)
