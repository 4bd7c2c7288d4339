"""Where rays through a lens land on the photo's relief: the march of :func:`bokehbench.optics.ray_traced`."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

#: How far in px a ray may be rounded beyond its spread: half a pixel, and what float32 adds.
ROUNDED = 0.51


class March(NamedTuple):
    """Steps from the nearest disparity to the farthest.

    Attributes:
        steps: the (disparity, aperture · (disparity - focus)) of each.
        at, spread: the same two as tensors.
    """

    steps: list[tuple[float, float]]
    at: Tensor
    spread: Tensor

    @classmethod
    def of(cls, near: Sequence[float], far: Sequence[float], count: int, like: Tensor) -> "March":
        """``count`` equal steps between two; tensors of the kind of ``like``."""
        shares = [k / (count - 1) for k in range(count)]
        steps = [(near[0] + (far[0] - near[0]) * share, near[1] + (far[1] - near[1]) * share) for share in shares]
        at, spread = like.new_tensor(steps).T.contiguous()
        return cls(steps, at, spread)

    @property
    def reach(self) -> int:
        """How far rays go, in px."""
        return math.ceil(max(abs(spread) for _, spread in self.steps)) + 1

    @property
    def slope(self) -> float:
        """By how much a ray moves per disparity."""
        (near, first), (far, last) = self.steps[0], self.steps[-1]
        return (first - last) / (near - far) if near > far else 0.0


class Rays(NamedTuple):
    """The rays of n pixels: columns and rows of these, n each, and their lens points, rays x n each."""

    column: Tensor
    row: Tensor
    across: Tensor
    down: Tensor


def landed(
    depth: Tensor, corner: tuple[int, int], march: March, rays: Rays, first: Tensor, last: Tensor, most: int
) -> tuple[Tensor, Tensor]:
    """Columns and rows of the photo, rays x n, at which the rays hit what is nearest.

    Args:
        depth: h w, the part of the map that the rays can pass: its indices are small enough for float32.
        corner: top and left of that part in the photo.
        march: the steps.
        rays: of n pixels; the lens points are overwritten.
        first, last: n, from :func:`undecided`: the steps from and to which it must be asked whether a ray hits.
        most: their largest difference.
    """
    (top, left), (height, width) = corner, depth.shape
    flat, (column, row, across, down) = depth.flatten(), rays
    x, y, hit = (torch.empty_like(across) for _ in range(3))
    met = across
    # From far to near, so that the nearest hit, which hides the others, is written last. Written in place, and looked
    # up by index_select: on CPUs that is ten times as fast as by an index, and lerp than where
    for index in range(most + 1):
        step = torch.maximum(last - index, first)
        spread = march.spread.index_select(0, step)
        torch.addcmul(column, across, spread, out=x).round_().clamp_(left, left + width - 1)
        torch.addcmul(row, down, spread, out=y).round_().clamp_(top, top + height - 1)
        # Rounded in the photo's own coordinates, so that a pixel is the same in every block and window
        place = x.add_(y, alpha=width).sub_(left + top * width).int()
        seen = flat.index_select(0, place.flatten()).view_as(place)
        # At the last step every ray hits
        met = met.lerp_(seen, torch.ge(seen, march.at.index_select(0, step), out=hit)) if index else seen
    far, farthest = march.steps[-1]
    spread = met.sub_(far).mul_(march.slope).add_(farthest)
    return across.mul_(spread).add_(column), down.mul_(spread).add_(row)


def undecided(depth: Tensor, march: March, rows: range, columns: range) -> tuple[Tensor, Tensor]:
    """The first step at which a ray of a pixel may hit, and the first at which all must: h w each, int32.

    Known without a ray, from the nearest and the farthest of the disparities (``depth`` H W) in the square that they
    can pass at each step.
    """
    within = [math.floor(abs(spread) + ROUNDED) for _, spread in march.steps]
    levels = [0]
    while levels[-1] < max(within):
        levels.append(levels[-1] + max(1, levels[-1] // 4))
    reach = levels[-1]
    part, (top, left) = around(depth, reach, rows, columns)
    above, before = top - rows.start + reach, left - columns.start + reach
    below, after = len(rows) + 2 * reach - above - part.shape[0], len(columns) + 2 * reach - before - part.shape[1]
    high = low = F.pad(part[None, None], (before, after, above, below), mode="replicate")[0, 0]
    squares = {}
    for smaller, level in pairwise([0, *levels]):
        high, low = (_widened(high, level - smaller, torch.maximum), _widened(low, level - smaller, torch.minimum))
        cut = reach - level
        squares[level] = [ends[cut : cut + len(rows), cut : cut + len(columns)] for ends in (high, low)]
    first = last = torch.full((len(rows), len(columns)), len(within) - 1, dtype=torch.int32, device=depth.device)
    at = march.at.tolist()
    for step in reversed(range(len(within))):
        nearest, farthest = squares[next(level for level in levels if level >= within[step])]
        first, last = torch.where(nearest >= at[step], step, first), torch.where(farthest >= at[step], step, last)
    return first, last


def around(plane: Tensor, reach: int, rows: range, columns: range) -> tuple[Tensor, tuple[int, int]]:
    """What of H W lies within ``reach`` px of these pixels, and its top and left."""
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    return plane[top : rows.stop + reach, left : columns.stop + reach], (top, left)


def _widened(plane: Tensor, by: int, pick: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """What ``pick`` makes of h w and its copies moved by ``by`` px; smaller by ``by`` on every side."""
    if by == 0:
        return plane
    plane = pick(pick(plane[: -2 * by], plane[2 * by :]), plane[by:-by])
    return pick(pick(plane[:, : -2 * by], plane[:, 2 * by :]), plane[:, by:-by])
