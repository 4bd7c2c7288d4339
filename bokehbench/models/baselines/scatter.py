"""Every pixel spread over its own circle of confusion."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from bokehbench.models.baselines.disparity_renderer import DisparityRenderer
from bokehbench.optics import fixed, scatter, signed_defocus


class Scatter(DisparityRenderer):
    """BokehMe's classical renderer (:func:`bokehbench.optics.scatter`) in linear light, with the disparity given."""

    title = "Scatter"
    paper = "the classical renderer of Peng et al., BokehMe, CVPR 2022, arXiv 2206.12614"

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return scatter(light, signed_defocus(disparity, focus, aperture))

    def fixed(self, reach: int) -> Callable[..., Tensor]:
        return partial(fixed.scatter, reach=reach)
