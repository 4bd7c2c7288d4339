"""What the renderers share that are given a disparity map."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.base import Focus, Strength
from bokehbench.models.baselines.baseline import Baseline, encoded
from bokehbench.optics import to_linear


class DisparityRenderer(Baseline):
    """Renders in linear light with the disparity given; a subclass says how light spreads."""

    @abstractmethod
    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, radius: Tensor) -> Tensor:
        """Shallow depth of field in linear light.

        Args:
            light: B 3 H W, linear.
            disparity: B 1 H W in [0, 1].
            focus: B, the disparity in focus.
            radius: B, pixels at a disparity difference of 1.

        Returns:
            B 3 H W, linear.
        """

    @property
    def needs_disparity(self) -> bool:
        """A baseline has no depth network."""
        return True

    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: Strength = None,
    ) -> Tensor:
        """As :meth:`BokehModel.render`.

        Raises:
            BokehbenchError: no disparity: a baseline has no depth network.
        """
        if disparity is None:
            raise BokehbenchError(
                f"{type(self).__name__} has no depth network of its own and was given no disparity map: "
                "give one with --disparity, or use a data set that has it."
            )
        at = self.focus_disparity(disparity, focus, image.shape[-2], image.shape[-1])
        return encoded(self.spread(to_linear(image), disparity, at, self.radius(aperture, image)))
