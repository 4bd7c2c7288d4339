"""Planes of disparity, blurred and composited from far to near."""

from __future__ import annotations

from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.base import Focus, Strength
from bokehbench.models.baselines.baseline import Baseline, encoded
from bokehbench.optics import layered, to_linear


class Layered(Baseline):
    """The layered renderer (:func:`bokehbench.optics.layered`) in linear light, with the disparity given.

    Args:
        blur_share: see :class:`Baseline`.
        layers: planes of disparity, equally spaced over [0, 1].
    """

    title = "Layered"
    paper = "the formula of Peng et al., MPIB, ECCV 2022, arXiv 2207.08403, with planes from the disparity map"

    def __init__(self, blur_share: float = 0.025, layers: int = 32) -> None:
        super().__init__(blur_share)
        if layers < 1:
            raise BokehbenchError(f"--model.layers {layers}: give 1 or more.")
        self.save_hyperparameters()
        self.layers = layers

    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: Strength = None,
    ) -> Tensor:
        """As :meth:`BokehModel.render`; raises BokehbenchError without a disparity."""
        disparity = self.need_disparity(disparity)
        at = self.focus_disparity(disparity, focus, image.shape[-2], image.shape[-1])
        # Half a plane of margin, or the plane in focus itself would be blurred by half a plane's disparity
        light = layered(
            to_linear(image), disparity, at, self.radius(aperture, image), layers=self.layers, margin=0.5 / self.layers
        )
        return encoded(light)
