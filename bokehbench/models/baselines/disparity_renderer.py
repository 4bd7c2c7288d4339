"""What the renderers share that are given a disparity map."""

from abc import abstractmethod

from torch import Tensor

from bokehbench.models.base import Focus, PerPicture
from bokehbench.models.baselines.baseline import Baseline
from bokehbench.optics import to_linear, to_srgb


class DisparityRenderer(Baseline):
    """Renders in linear light with the disparity given; a subclass says how light spreads."""

    needs_disparity = True

    @abstractmethod
    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """Shallow depth of field in linear light, B 3 H W as ``light``.

        ``disparity`` is B 1 H W in [0, 1], ``focus`` B (the disparity in focus), ``aperture`` B in pixels.
        """

    def render(
        self, image: Tensor, *, disparity: Tensor | None = None, focus: Focus = None, aperture: PerPicture = None
    ) -> Tensor:
        """As :meth:`BokehModel.render`; BokehbenchError without a disparity: a baseline has no depth network."""
        if disparity is None:
            raise self.no_disparity()
        at = self.focus_disparity(disparity, focus, image.shape)
        return to_srgb(self.spread(to_linear(image), disparity, at, self.aperture_of(image, aperture)))
