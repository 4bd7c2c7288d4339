"""Planes of disparity, blurred and composited from far to near."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from bokehbench.errors import check_options, within
from bokehbench.models.baselines.disparity_renderer import DisparityRenderer
from bokehbench.optics import fixed, layered


class Layered(DisparityRenderer):
    """The layered renderer (:func:`bokehbench.optics.layered`) in linear light, with the disparity given.

    Args:
        aperture_share: see :class:`Baseline`.
        layers: planes of disparity, 1 to 4096, equally spaced over [0, 1].
    """

    title = "Layered"
    paper = "the formula of Peng et al., MPIB, ECCV 2022, arXiv 2207.08403, with planes from the disparity map"

    def __init__(self, aperture_share: float = 0.025, layers: int = 32) -> None:
        super().__init__(aperture_share)
        check_options("--model.", within("layers", layers, 1, 4096))
        self.layers = layers

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        # Half a plane of margin, or the plane in focus itself would be blurred by half a plane's disparity
        return layered(light, disparity, focus, aperture, layers=self.layers, margin=0.5 / self.layers)

    def fixed(self, reach: int) -> Callable[..., Tensor]:
        return partial(fixed.layered, layers=self.layers, margin=0.5 / self.layers, reach=reach)
