"""Blur of one textured plane of a scene, exact for the lattice disk: the synthetic data's renderer.

Scene planes are blurred one by one and then composited, so that what lies behind an occluder is exact
(DeepLens, Wang et al. 2018, Sec. 4.2).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.optics.aperture_kernels import ROUNDING, largest_square, squared_distances
from bokehbench.optics.blur import ROW_RUNS_UP_TO, disk_blur
from bokehbench.optics.row_runs import Frame, spread


def blur_plane(rgba: Tensor, radius: float | Tensor) -> Tensor:
    """Spread every pixel of a plane evenly over its own lattice disk {d² <= r²}/N.

    ``rgba`` 4 H W or B 4 H W (any number of channels), premultiplied by alpha, so that colour and coverage spread
    alike; ``radius`` in px, >= 0: a number or 0-dim tensor for a plane parallel to the sensor, or H W (1 H W, and
    B 1 H W for a batch) for a sloping one. Returns the shape of ``rgba``. Light that leaves the frame is lost: render
    with a margin of the largest radius and crop.

    Exact for any map of radii; dark pixels cost nothing outside of the plane's bounding box. Differentiable with
    respect to ``rgba``. Raises BokehbenchError for a negative or non-finite radius, or a map of another size.
    """
    if isinstance(radius, Tensor) and radius.ndim == 0:
        radius = float(radius)
    if not isinstance(radius, Tensor):
        if rgba.ndim == 4:
            return torch.stack([_constant(plane, radius) for plane in rgba])
        return _constant(rgba, radius)
    if radius.shape[-2:] != rgba.shape[-2:]:
        raise BokehbenchError(f"Radii of {tuple(radius.shape)} do not fit a plane of {tuple(rgba.shape)}.")
    if rgba.ndim == 4:
        maps = radius.expand(len(rgba), 1, *radius.shape[-2:])
        return torch.stack([_sloping(plane, r[0]) for plane, r in zip(rgba, maps, strict=True)])
    return _sloping(rgba, radius.reshape(rgba.shape[-2:]))


def _constant(rgba: Tensor, radius: float, where: Tensor | None = None) -> Tensor:
    """The pixels ``where`` (H W bool; None = all) with one radius."""
    box = _box((rgba != 0).any(0) if where is None else where)
    if box is None:
        return torch.zeros_like(rgba)
    part, (height, width) = rgba[:, box[0], box[1]], rgba.shape[-2:]
    part = part if where is None else part * where[box]
    if radius <= ROW_RUNS_UP_TO:
        return spread(part, largest_square(radius), Frame(height, width, box[0].start, box[1].start))
    part = disk_blur(part, radius, padding="full")
    reach = math.isqrt(largest_square(radius))
    across = box[1].start - reach, width - box[1].stop - reach
    return F.pad(part, (*across, box[0].start - reach, height - box[0].stop - reach))


def _sloping(rgba: Tensor, radius: Tensor) -> Tensor:
    if not bool(torch.isfinite(radius).all()) or bool((radius < 0).any()):
        raise BokehbenchError("Blur radii of a plane must be finite and >= 0 pixels.")
    squares = radius.double().contiguous().square() * (1 + ROUNDING)
    disks = squared_distances(math.isqrt(int(squares.max()))).unique()  # radii between two sums of squares share one
    disk_of = torch.bucketize(squares, disks, right=True) - 1
    out, lit = torch.zeros_like(rgba), (rgba != 0).any(0)
    for index in disk_of[lit].unique().tolist():
        out += _constant(rgba, float(disks[index].sqrt()), lit & (disk_of == index))
    return out


def _box(member: Tensor) -> tuple[slice, slice] | None:
    """Rows and columns of the smallest box around the True pixels; None where there are none."""
    rows, columns = member.any(1).nonzero(), member.any(0).nonzero()
    if len(rows) == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
