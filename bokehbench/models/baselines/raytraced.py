"""Rays through a lens into the photo's own relief."""

from __future__ import annotations

from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.base import Focus, Strength
from bokehbench.models.baselines.baseline import Baseline, encoded
from bokehbench.optics import ray_traced, to_linear


class RayTraced(Baseline):
    """Approximate ray tracing (:func:`bokehbench.optics.ray_traced`) in linear light, with the disparity given.

    Args:
        blur_share: see :class:`Baseline`.
        rays: lens points per pixel.

    Raises:
        BokehbenchError: fewer than 1 ray.
    """

    title = "Ray traced"
    paper = "the idea of Yang et al., Virtual DSLR, Electronic Imaging 2016; their code is not available"

    def __init__(self, blur_share: float = 0.025, rays: int = 64) -> None:
        super().__init__(blur_share)
        if rays < 1:
            raise BokehbenchError(f"--model.rays {rays}: give 1 or more.")
        self.save_hyperparameters()
        self.rays = rays

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
        return encoded(ray_traced(to_linear(image), disparity, at, self.radius(aperture, image), rays=self.rays))
