"""What the renderers share that are given a disparity map."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.baselines.baseline import Baseline
from bokehbench.models.exported import Exported
from bokehbench.optics import to_linear, to_srgb
from bokehbench.optics.strips import rendered_in_strips


class DisparityRenderer(Baseline, ABC):
    """Renders in linear light with the disparity given; a subclass says how light spreads."""

    @abstractmethod
    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """Shallow depth of field in linear light, B 3 H W as ``light``.

        ``disparity`` is B 1 H W in [0, 1], ``focus`` B (the disparity in focus), ``aperture`` B in pixels.
        """

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """:meth:`spread` of gamma-encoded pictures."""
        # In one expression, so that what is done with is not kept
        spread = self.spread(rendered_in_strips(to_linear, (image,), 0), disparity, focus, aperture)
        return rendered_in_strips(to_srgb, (spread,), 0)

    def fixed(self, reach: int) -> Callable[..., Tensor]:
        """:meth:`spread` for apertures up to ``reach`` px, as :mod:`bokehbench.optics.fixed` has it."""
        raise BokehbenchError(f"{self.label} cannot be exported: the picture's values decide how long it computes.")

    def exported(self, size: int, largest_aperture: float) -> Exported:
        """As the base, with :meth:`fixed`."""
        spread = self.fixed(math.ceil(largest_aperture))

        def blur(image: Tensor, *chosen: Tensor) -> Tensor:
            return to_srgb(spread(to_linear(image), *chosen))

        return Exported(blur, [], self.uses, largest_aperture)
