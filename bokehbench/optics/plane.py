"""Blur of one textured plane of a scene, exact for the lattice disk: the synthetic data's renderer.

Scene planes are blurred one by one and then composited, so that what lies behind an occluder is exact
(DeepLens, Wang et al. 2018, Sec. 4.2).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.optics.aperture_kernels import largest_square
from bokehbench.optics.blur import ROW_RUNS_UP_TO, disk_blur
from bokehbench.optics.row_runs import Frame, spread


def blur_plane(rgba: Tensor, radius: float) -> Tensor:
    """Spread every pixel of a plane parallel to the sensor evenly over the lattice disk {d² <= r²}/N: 4 H W -> 4 H W.

    ``rgba`` (any number of channels) premultiplied by alpha, so that colour and coverage spread alike; ``radius`` in
    px, >= 0. Light that leaves the frame is lost: render with a margin of the radius and crop. Dark pixels cost nothing
    outside of the plane's bounding box. Differentiable with respect to ``rgba``. Raises BokehbenchError for a negative
    or infinite radius.
    """
    reach, (height, width) = math.isqrt(largest_square(radius)), rgba.shape[-2:]
    lit = (rgba != 0).any(0)
    rows, columns = lit.any(1).nonzero(), lit.any(0).nonzero()
    if len(rows) == 0:
        return torch.zeros_like(rgba)
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    part = rgba[:, top:bottom, left:right]
    if radius <= ROW_RUNS_UP_TO:
        return spread(part, largest_square(radius), Frame(height, width, top, left))
    part = disk_blur(part, radius, padding="full")
    return F.pad(part, (left - reach, width - right - reach, top - reach, height - bottom - reach))
