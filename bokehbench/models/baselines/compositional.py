"""Blurred with fixed disks, blended per pixel."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from bokehbench.errors import check_options, within
from bokehbench.models.baselines.disparity_renderer import DisparityRenderer
from bokehbench.optics import compositional, fixed

#: Pixels between two disks: finer ones cannot be told apart, and each costs a convolution.
SMALLEST_STEP, LARGEST_STEP = 0.05, 100.0


class Compositional(DisparityRenderer):
    """The compositional renderer (:func:`bokehbench.optics.compositional`) in linear light, with the disparity given.

    Args:
        aperture_share: see :class:`Baseline`.
        step: pixels between the radii of the disks, 0.05 to 100.
    """

    title = "Compositional"
    paper = "the renderer of Srinivasan et al., CVPR 2018, arXiv 1711.07933, with the disparity map's own radii"

    def __init__(self, aperture_share: float = 0.025, step: float = 1.0) -> None:
        super().__init__(aperture_share)
        check_options("--model.", within("step", step, SMALLEST_STEP, LARGEST_STEP, "pixels"))
        self.step = step

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return compositional(light, disparity, focus, aperture, step=self.step)

    def fixed(self, reach: int) -> Callable[..., Tensor]:
        return partial(fixed.compositional, step=self.step, reach=reach)
