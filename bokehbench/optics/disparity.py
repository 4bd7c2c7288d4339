"""Disparity maps: 1 = nearest, everywhere."""

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError


def minmax(disparity: Tensor) -> Tensor:
    """Stretch each map of B 1 H W (or each C H W of B C H W) to [0, 1]; a flat map becomes zeros. Differentiable.

    d' = (d - min) / (max - min), as DeepLens does with predicted and measured disparity (Wang et al. 2018, Sec. 4.1).
    """
    low = disparity.amin((-3, -2, -1), keepdim=True)
    span = disparity.amax((-3, -2, -1), keepdim=True) - low
    flat = span == 0
    return ((disparity - low) / span.masked_fill(flat, 1.0)).masked_fill(flat, 0.0)


def depth_to_disparity(depth: Tensor, invalid: float | None = 0.0) -> Tensor:
    """Inverse depth, stretched per map to [0, 1] with 1 = nearest.

    ``depth`` B 1 H W in any unit, larger = farther. Pixels that equal ``invalid`` (None: no such value), are negative
    or not finite carry no measurement and get disparity 0 (farthest). Raises BokehbenchError where a map holds no
    valid pixel at all.
    """
    valid = torch.isfinite(depth) & (depth > 0)
    if invalid is not None:
        valid &= depth != invalid
    if not bool(valid.flatten(-3).any(-1).all()):
        raise BokehbenchError("A depth map holds no valid pixel: check its unit and which value marks missing depth.")
    inverse = 1 / depth.where(valid, torch.ones_like(depth))
    low = inverse.masked_fill(~valid, torch.inf).amin((-3, -2, -1), keepdim=True)
    return minmax(inverse.where(valid, low))


def focus_at(disparity: Tensor, x: float | Tensor, y: float | Tensor) -> Tensor:
    """Disparity under the focus point (x, y), shape B.

    ``x`` and ``y`` are column and row in pixels of the map (numbers, or tensors of shape B), rounded to the nearest
    pixel. Raises BokehbenchError where the point lies outside of the map.
    """
    batch, height, width = len(disparity), disparity.shape[-2], disparity.shape[-1]
    column = torch.as_tensor(x, device=disparity.device).round().long().expand(batch)
    row = torch.as_tensor(y, device=disparity.device).round().long().expand(batch)
    if bool(((column < 0) | (column >= width) | (row < 0) | (row >= height)).any()):
        raise BokehbenchError(
            f"The focus point ({x}, {y}) is outside of the {width} x {height} picture: give column,row inside of it."
        )
    return disparity[torch.arange(batch, device=disparity.device), 0, row, column]
