"""What the renderers share that are given a disparity map."""

from abc import ABC, abstractmethod

from torch import Tensor

from bokehbench.models.baselines.baseline import Baseline
from bokehbench.optics import to_linear, to_srgb


class DisparityRenderer(Baseline, ABC):
    """Renders in linear light with the disparity given; a subclass says how light spreads."""

    @abstractmethod
    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """Shallow depth of field in linear light, B 3 H W as ``light``.

        ``disparity`` is B 1 H W in [0, 1], ``focus`` B (the disparity in focus), ``aperture`` B in pixels.
        """

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """:meth:`spread` of gamma-encoded pictures."""
        return to_srgb(self.spread(to_linear(image), disparity, focus, aperture))
