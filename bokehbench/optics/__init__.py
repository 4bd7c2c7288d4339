"""Optics: apertures, circles of confusion and reference renderers as pure, differentiable tensor functions."""

from bokehbench.optics.aperture_kernels import disk, polygon, ring, soft_disk
from bokehbench.optics.blur import blur, disk_blur
from bokehbench.optics.circle_of_confusion import circle_of_confusion, per_image, signed_defocus
from bokehbench.optics.compositing import composite
from bokehbench.optics.compositional import compositional
from bokehbench.optics.dilated_defocus import dilated_defocus
from bokehbench.optics.disparity import Disparity, depth_to_disparity, focus_at, minmax
from bokehbench.optics.layered import layered
from bokehbench.optics.linear_light import to_linear, to_srgb
from bokehbench.optics.plane import blur_plane
from bokehbench.optics.ray_traced import ray_traced
from bokehbench.optics.scatter import scatter
from bokehbench.optics.thin_lens import Camera, Span, aperture_at
from bokehbench.optics.weighted_layers import weighted_layers

__all__ = [
    "Camera", "Disparity", "Span", "aperture_at", "blur", "blur_plane", "circle_of_confusion", "composite",
    "compositional", "depth_to_disparity", "dilated_defocus", "disk", "disk_blur", "focus_at", "layered", "minmax",
    "per_image", "polygon", "ray_traced", "ring", "scatter", "signed_defocus", "soft_disk", "to_linear", "to_srgb",
    "weighted_layers",
]  # fmt: skip
