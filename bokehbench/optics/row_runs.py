"""The hard lattice disk as a sum of centred row runs: 4R + 1 additions per pixel instead of about 3.1 R² taps.

The run of half-width w grows from that of w - 1 by one pixel on either side, so each row of the disk costs one addition
once its half-width is reached. Sums stay short, which keeps fp32 exact to rounding (a prefix sum would not).
"""

import math
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

#: Maps smaller than this (elements) are summed together: there the calls cost more than the cache misses.
TOGETHER = 1 << 16


def half_widths(square: int) -> list[int]:
    """Half-widths of the rows dy = -R .. R of the disk {dx² + dy² <= square}, R = isqrt(square)."""
    reach = math.isqrt(square)
    return [math.isqrt(square - dy * dy) for dy in range(-reach, reach + 1)]


def _rows_by_half_width(square: int) -> list[list[int]]:
    widths = half_widths(square)
    reach = len(widths) // 2
    return [[dy for dy in range(-reach, reach + 1) if widths[reach + dy] == half] for half in range(reach + 1)]


def _points(square: int) -> int:
    return sum(2 * half + 1 for half in half_widths(square))


class Frame(NamedTuple):
    """The picture that maps lie in: its size, and the row and column of the maps' first pixel."""

    height: int
    width: int
    top: int
    left: int


def gather(maps: Tensor, square: int) -> Tensor:
    """Mean over the disk around every pixel where it fits: N (h + 2R) (w + 2R) -> N h w. Differentiable."""
    return cast(Tensor, _Gather.apply(maps, square))


def spread(maps: Tensor, square: int, frame: Frame | None = None) -> Tensor:
    """Spread every pixel of N h w evenly over its disk, into ``frame`` (beyond it, light is lost). Differentiable.

    Without a frame the result grows by R on every side, N (h + 2R) (w + 2R): the adjoint of :func:`gather`.
    """
    if frame is None:
        reach = math.isqrt(square)
        frame = Frame(maps.shape[-2] + 2 * reach, maps.shape[-1] + 2 * reach, reach, reach)
    return cast(Tensor, _Spread.apply(maps, square, frame))


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, square: int) -> Tensor:
        ctx.square = square
        reach = math.isqrt(square)
        h, w = maps.shape[-2] - 2 * reach, maps.shape[-1] - 2 * reach
        out = maps.new_zeros(len(maps), h, w)
        at_once = len(maps) if maps.is_cuda else max(1, TOGETHER // (h * w))
        for start in range(0, len(maps), at_once):
            source, target = maps[start : start + at_once], out[start : start + at_once]
            run = source[:, :, reach : reach + w].clone()
            for half, rows in enumerate(_rows_by_half_width(square)):
                if half:
                    run += source[:, :, reach - half : reach - half + w]
                    run += source[:, :, reach + half : reach + half + w]
                for dy in rows:
                    target += run[:, reach + dy : reach + dy + h]
        return out.mul_(1 / _points(square))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return spread(gradient, ctx.square), None


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, square: int, frame: Frame) -> Tensor:
        ctx.square, ctx.frame, ctx.size = square, frame, maps.shape[-2:]
        reach = math.isqrt(square)
        h, w = maps.shape[-2:]
        out = maps.new_zeros(len(maps), frame.height, frame.width)
        first, last = max(frame.left - reach, 0), min(frame.left + w + reach, frame.width)
        seen = slice(first - frame.left + reach, last - frame.left + reach)
        at_once = len(maps) if maps.is_cuda else max(1, TOGETHER // (h * w))
        # one buffer for all maps: fresh memory costs more than the sums
        buffer = maps.new_empty(min(at_once, len(maps)), h, w + 2 * reach)
        for start in range(0, len(maps), at_once):
            source, target = maps[start : start + at_once], out[start : start + at_once, :, first:last]
            run = buffer[: len(source)].zero_()
            for half, rows in enumerate(_rows_by_half_width(square)):
                run[:, :, reach + half : reach + half + w] += source
                if half:
                    run[:, :, reach - half : reach - half + w] += source
                for dy in rows:
                    above, below = max(frame.top + dy, 0), min(frame.top + dy + h, frame.height)
                    if above < below:
                        target[:, above:below] += run[:, above - frame.top - dy : below - frame.top - dy, seen]
        return out.mul_(1 / _points(square))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        reach, (h, w), frame = math.isqrt(ctx.square), ctx.size, ctx.frame
        across = reach - frame.left, frame.left + w + reach - frame.width
        down = reach - frame.top, frame.top + h + reach - frame.height
        return gather(F.pad(gradient, (*across, *down)), ctx.square), None, None
