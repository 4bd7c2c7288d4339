"""Blur of one textured plane of a scene, exact for the lattice disk: the synthetic data's renderer.

Scene planes are blurred one by one and then composited, so that what lies behind an occluder is exact
(DeepLens, Wang et al. 2018, Sec. 4.2).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.optics.aperture_kernels import ROUNDING, largest_square
from bokehbench.optics.blur import ROW_RUNS_UP_TO, disk_blur
from bokehbench.optics.lattice_spread import spread_over_disks
from bokehbench.optics.row_runs import Frame, spread

#: Rows of a sloping plane that are blurred together: keeps the accumulators in the cache.
BAND = 128


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


def _constant(rgba: Tensor, radius: float) -> Tensor:
    box = _box((rgba != 0).any(0))
    if box is None:
        return torch.zeros_like(rgba)
    part, (height, width) = rgba[:, box[0], box[1]], rgba.shape[-2:]
    if radius <= ROW_RUNS_UP_TO:
        return spread(part, largest_square(radius), Frame(height, width, box[0].start, box[1].start))
    part = disk_blur(part, radius, padding="full")
    reach = math.isqrt(largest_square(radius))
    across = box[1].start - reach, width - box[1].stop - reach
    return F.pad(part, (*across, box[0].start - reach, height - box[0].stop - reach))


def _sloping(rgba: Tensor, radius: Tensor) -> Tensor:
    if not bool(torch.isfinite(radius).all()) or bool((radius < 0).any()):
        raise BokehbenchError("Blur radii of a plane must be finite and >= 0 pixels.")
    out = torch.zeros_like(rgba)
    squares = (radius.double().square() * (1 + ROUNDING)).int()
    squares = squares.masked_fill((rgba == 0).all(0), -1)
    for top in range(0, rgba.shape[-2], BAND):
        box = _box(squares[top : top + BAND] >= 0)
        if box is None:
            continue
        box = slice(box[0].start + top, box[0].stop + top), box[1]
        part = spread_over_disks(rgba[:, box[0], box[1]], squares[box])
        _add(out, part, box, (part.shape[-1] - (box[1].stop - box[1].start)) // 2)
    return out


def _box(member: Tensor) -> tuple[slice, slice] | None:
    """Rows and columns of the smallest box around the True pixels; None where there are none."""
    rows, columns = member.any(1).nonzero(), member.any(0).nonzero()
    if len(rows) == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _add(out: Tensor, part: Tensor, box: tuple[slice, slice], reach: int) -> None:
    """Add ``part``, which reaches beyond ``box`` on every side, to the picture; what falls off its edge is lost."""
    height, width = out.shape[-2:]
    y, x = box[0].start - reach, box[1].start - reach
    y0, x0 = max(y, 0), max(x, 0)
    y1, x1 = min(box[0].stop + reach, height), min(box[1].stop + reach, width)
    out[:, y0:y1, x0:x1] += part[:, y0 - y : y1 - y, x0 - x : x1 - x]
