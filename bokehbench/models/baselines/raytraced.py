"""Rays through a lens into the photo's own relief."""

from torch import Tensor

from bokehbench.errors import check_options, within
from bokehbench.models.baselines.disparity_renderer import DisparityRenderer
from bokehbench.optics import ray_traced


class RayTraced(DisparityRenderer):
    """Approximate ray tracing (:func:`bokehbench.optics.ray_traced`) in linear light, with the disparity given.

    Args:
        aperture_share: see :class:`Baseline`.
        rays: lens points per pixel, 1 to 65536.
    """

    title = "Ray traced"
    paper = "the idea of Yang et al., Virtual DSLR, Electronic Imaging 2016; their code is not available"

    def __init__(self, aperture_share: float = 0.025, rays: int = 64) -> None:
        super().__init__(aperture_share)
        check_options("--model.", within("rays", rays, 1, 65_536))
        self.rays = rays

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return ray_traced(light, disparity, focus, aperture, rays=self.rays)
