"""Disparity maps: larger = nearer, everywhere; and what their numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.optics.thin_lens import Span

#: What a file with a metric map can hold: disparity in 1/m, or depth.
Unit = Literal["1/m", "m", "mm"]


@dataclass(frozen=True, eq=False)
class Disparity:
    """A disparity map of one picture, larger = nearer, and its kind: kinds are converted, and never mixed.

    Attributes:
        values: 1 H W.
        kind: ``metric`` (1/m); ``relative`` (a · metric + b with unknown a > 0 and b: of most depth networks, and of
            files that do not say); ``stretched`` (by min-max to [0, 1], what methods and batches have).
        span: of a stretched map that was metric; None: not known.
    """

    values: Tensor
    kind: Literal["metric", "relative", "stretched"]
    span: Span | None = None

    @classmethod
    def measured(cls, values: Tensor, unit: Unit) -> Disparity:
        """The metric map of 1 H W numbers in ``unit``: disparity in ``1/m``, or depth from the lens in ``m``, ``mm``.

        Missing values (NaN; in a depth also 0 and less, in a disparity infinity) become the farthest that was measured;
        an infinite depth is a disparity of 0.

        Raises:
            BokehbenchError: an unknown unit, a negative disparity, or no value at all.
        """
        if unit not in get_args(Unit):
            raise BokehbenchError(f"'{unit}' is no unit of a disparity map; {nearest(str(unit), get_args(Unit))}.")
        if unit == "1/m":
            measured = values.isfinite()
            if bool((values[measured] < 0).any()):
                raise BokehbenchError("has values below 0, which no disparity in 1/m has: give a relative map no unit.")
            inverse = values
        else:
            measured = values > 0
            inverse = (1 if unit == "m" else 1000) / values.where(measured, torch.ones_like(values))
        if not bool(measured.any()):
            raise BokehbenchError("no pixel of the map has a value: check its unit.")
        return cls(inverse.where(measured, inverse[measured].min()), "metric")

    def stretched(self) -> Disparity:
        """Its min-max normalised form; of a metric map it keeps the way back, :attr:`span`."""
        if self.kind == "stretched":
            return self
        low, high = (float(end) for end in self.values.aminmax())
        span = Span(low, high) if self.kind == "metric" else None
        return Disparity(minmax(self.values[None])[0], "stretched", span)

    def metric(self) -> Disparity:
        """The map in 1/m.

        Raises:
            BokehbenchError: what a relative map has lost cannot be computed.
        """
        if self.kind == "metric":
            return self
        if self.span is None:
            raise BokehbenchError(
                f"A {self.kind} disparity map has no scale in 1/m: say in which unit its file is, if it is metric."
            )
        return Disparity(self.span.metric(self.values), "metric")


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
