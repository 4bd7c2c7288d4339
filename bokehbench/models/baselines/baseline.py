"""What the methods without training share."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.models.base import BokehModel, check_option
from bokehbench.models.stages import Stage
from bokehbench.optics import to_srgb


class Baseline(BokehModel):
    """A method without weights and stages: ``test``, ``predict`` and ``render`` work at once, ``fit`` refuses.

    Args:
        aperture_share: the aperture where none is given, as a share of the photo's long side (the synthetic scenes' own
            default).

    Raises:
        BokehbenchError: a negative share.
    """

    trainable: ClassVar[bool] = False
    architecture: ClassVar[tuple[str, ...]] = ("aperture_share",)

    def __init__(self, aperture_share: float = 0.025) -> None:
        super().__init__()
        check_option("aperture_share", aperture_share, aperture_share >= 0, "0 or more")
        self.aperture_share = aperture_share

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """None: there is nothing to train."""
        return []

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """None: there is nothing to train."""
        return {}


def encoded(light: Tensor) -> Tensor:
    """Linear light back to sRGB in [0, 1]; B 3 H W."""
    return to_srgb(light.clamp(0, 1)).clamp(0, 1)
