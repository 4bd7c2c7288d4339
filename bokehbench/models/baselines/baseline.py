"""What the methods without training share."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel, Focus, Strength
from bokehbench.models.stages import Stage
from bokehbench.optics import to_srgb


class Baseline(BokehModel):
    """A method without weights and stages: ``test``, ``predict`` and ``render`` work at once, ``fit`` refuses.

    Args:
        blur_share: the aperture where none is given: blur radius at a disparity difference of 1, as a share of the
            photo's long side (the synthetic scenes' own default).

    Raises:
        BokehbenchError: a negative share.
    """

    trainable: ClassVar[bool] = False

    def __init__(self, blur_share: float = 0.025) -> None:
        super().__init__()
        if blur_share < 0:
            raise BokehbenchError(f"--model.blur_share {blur_share:g}: give 0 or more.")
        self.save_hyperparameters()
        self.blur_share = blur_share

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """None: there is nothing to train."""
        return []

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """None: there is nothing to train."""
        return {}

    def radius(self, aperture: Strength, image: Tensor) -> Tensor:
        """Blur radius in pixels of ``image`` at a disparity difference of 1, shape B."""
        return self.per_image(self.blur_share * max(image.shape[-2:]) if aperture is None else aperture, image)

    def describe_rendering(self, image: Tensor, disparity: Tensor | None, focus: Focus, aperture: Strength) -> str:
        """Focus as a disparity and radius in pixels."""
        radius = f"aperture {float(self.radius(aperture, image)[0]):.1f} px"
        if disparity is None:
            return radius
        at = self.focus_disparity(disparity, focus, image.shape[-2], image.shape[-1])
        return f"given disparity, focus at disparity {float(at[0]):.3f}, {radius}"


def encoded(light: Tensor) -> Tensor:
    """Linear light back to sRGB in [0, 1]; B 3 H W."""
    return to_srgb(light.clamp(0, 1)).clamp(0, 1)
