"""Reference renderer: every pixel spreads at its own fractional radius (BokehMe's classical renderer, CVPR 2022)."""

import math
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bokehbench.errors import BokehbenchError
from bokehbench.optics.aperture_kernels import polygon_radius, soft_edge, squared_distances
from bokehbench.optics.circle_of_confusion import check_map
from bokehbench.optics.convolution import fast_size, spectrum_of
from bokehbench.optics.strips import rendered_in_strips

#: Keeps the energy of a sharp pixel finite: w is divided by R² + 0.2.
SHARPEST = 0.2
#: Below this radius (px), where a disk has few points, radii are spaced FINER times as densely.
FINE_UP_TO = 4.0
FINER = 4


def scatter(
    image: Tensor,
    defocus: Tensor,
    *,
    gamma: float = 1.0,
    step: float | None = 0.25,
    leak: bool = False,
    blades: int | None = None,
    rotation: float = 0.0,
) -> Tensor:
    """Average what all pixels q send to p: result(p) = (sum_q w I(q)^gamma / sum_q w)^(1 / gamma), B 3 H W.

    w = [1/2 + 1/2 tanh(4 (R - d))] / (R² + 0.2), with R = |defocus(q)| and d = |p - q|, in the square of half-side
    floor(R) + 1. There is no depth order: blurred background bleeds onto what is in focus, as in the original. A pixel
    with R = 0 stays where it is, so that radius 0 is the identity; with ``leak`` it sends 0.07 % to each neighbour, as
    the formula says and BokehMe does.

    ``image`` B 3 H W in [0, 1]; ``defocus`` B 1 H W, radius in px, signed or not; what leaves the frame is dropped.
    ``step`` is the spacing in px of the radii that are computed; a radius in between is interpolated linearly between
    the two disks beside it, which changes the result by at most 0.005 at 0.25 px (0.02 at 0.5 px; below 4 px radii are
    spaced 4 times as densely), measured on white noise in [0, 1];
    None is exact, with (2R + 3)² passes over the picture: for small pictures only. ``blades`` and ``rotation`` (exact
    only): R is that of a polygon in the direction of p - q, as in :func:`bokehbench.optics.polygon`. Differentiable
    with respect to both (once, where ``step`` is given). Raises BokehbenchError for a step <= 0, a map that does not
    fit, or blades with a step.
    """
    if step is not None and not step > 0:
        raise BokehbenchError(f"scatter needs a step > 0 px, not {step} (None is exact).")
    if blades is not None and (step is not None or blades < 3):
        raise BokehbenchError(f"scatter with {blades} blades: give 3 or more, and step=None (exact).")
    check_map(defocus, image)

    def rows(image: Tensor, defocus: Tensor) -> Tensor:
        return _scattered(image, defocus, gamma, step, leak, blades, rotation)

    return rendered_in_strips(rows, (image, defocus), float(defocus.detach().abs().max()) + (step or 0) + 1)


def _scattered(
    image: Tensor, defocus: Tensor, gamma: float, step: float | None, leak: bool, blades: int | None, rotation: float
) -> Tensor:
    """The whole of a small picture; arguments of :func:`scatter`."""
    work = torch.float64 if image.dtype == torch.float64 else torch.float32
    light = image.to(work) if gamma == 1 else image.to(work).clamp(min=0) ** gamma
    radius = defocus.to(work).abs()
    energy = 1 / (radius.square() + SHARPEST)
    stack = torch.cat([light * energy, energy], 1)
    del light, energy
    if step is None:
        spread = _exact(stack, radius, leak, blades, rotation)
    else:
        spread = cast(Tensor, _Scatter.apply(stack, radius, step, leak))
    result = (spread[:, :-1] / spread[:, -1:]).to(image.dtype)
    return result if gamma == 1 else result.clamp(min=0) ** (1 / gamma)


def _exact(stack: Tensor, radius: Tensor, leak: bool, blades: int | None, rotation: float) -> Tensor:
    """The sum as it is written, one shift of the picture after the other; mirrored shifts share their weights."""
    height, width = radius.shape[-2:]
    half_side = radius.detach().floor() + 1
    if not leak:
        half_side = half_side.masked_fill(radius.detach() == 0, 0)
    out = torch.zeros_like(stack)
    for shifts in _shifts(int(half_side.max()), alike=blades is None):
        dy, dx = shifts[0]
        limit = radius if blades is None else radius * polygon_radius(math.atan2(dy, dx), blades, rotation)
        weight = soft_edge(limit, radius.new_tensor(math.hypot(dx, dy)))
        sent = stack * weight * (half_side >= max(abs(dx), abs(dy)))
        for dy, dx in shifts:
            if abs(dy) < height and abs(dx) < width:
                source = sent[..., max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
                target = (..., slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
                out[target] += source
    return out


def _shifts(reach: int, alike: bool) -> list[list[tuple[int, int]]]:
    """The (2 reach + 1)² shifts (dy, dx): one by one, or with ``alike`` those that mirror each other together."""
    span = range(-reach, reach + 1)
    if not alike:
        return [[(dy, dx)] for dy in span for dx in span]
    quarter = [(long, short) for long in range(reach + 1) for short in range(long + 1)]
    return [sorted({(i * y, j * x) for y, x in ((a, b), (b, a)) for i in (1, -1) for j in (1, -1)}) for a, b in quarter]


def disk_at(radius: float, leak: bool = False) -> Tensor:
    """BokehMe's disk before its energy is divided out; a point for radius 0, unless that leaks."""
    if radius == 0 and not leak:
        return torch.full((1, 1), 0.5, dtype=torch.float64)
    return soft_edge(radius, squared_distances(math.floor(radius) + 1).sqrt())


class _Scatter(torch.autograd.Function):
    """Tent-weighted sum of convolutions, added up in the frequency domain: one inverse transform per map for all radii.

    Saves its inputs only; the disks are symmetric, so the adjoint is the same sum with the roles of the tent-weighted
    source and the gradient exchanged.
    """

    @staticmethod
    def forward(ctx: Any, stack: Tensor, radius: Tensor, step: float, leak: bool) -> Tensor:
        ctx.save_for_backward(stack, radius)
        ctx.step, ctx.leak = step, leak
        out = torch.empty_like(stack)
        for maps, place, result in zip(stack, place_of(radius[:, 0], step), out, strict=True):
            bins = _bins(place)
            size = _size(place, radius_at(bins[-1], step))
            sums = [torch.fft.rfft2(torch.zeros_like(place), s=size) for _ in maps]
            for j in bins:
                share = share_of(place, j)
                spectrum = spectrum_of(disk_at(radius_at(j, step), leak).to(maps), size)
                for total, one in zip(sums, maps, strict=True):
                    total += torch.fft.rfft2(one * share, s=size).mul_(spectrum)
            for channel, total in enumerate(sums):
                result[channel] = _cropped(total, size, place)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        stack, radius = ctx.saved_tensors
        step = ctx.step
        to_stack, to_radius = torch.zeros_like(stack), torch.zeros_like(radius)
        for b, place in enumerate(place_of(radius[:, 0], step)):
            bins = _bins(place)
            size = _size(place, radius_at(bins[-1], step))
            density = (radius[b, 0] < FINE_UP_TO).to(place).mul_(FINER - 1).add_(1).div_(step)
            arriving = [torch.fft.rfft2(one, s=size) for one in gradient[b]]
            for j in bins:
                share = share_of(place, j)
                slope = torch.sign(j - place).masked_fill_(share == 0, 0) * density
                spectrum = spectrum_of(disk_at(radius_at(j, step), ctx.leak).to(place), size)
                for channel, wanted in enumerate(arriving):
                    back = _cropped(wanted * spectrum, size, place)
                    to_stack[b, channel].addcmul_(share, back)
                    to_radius[b, 0] += slope * back * stack[b, channel]
        return to_stack, to_radius, None, None


def place_of(radius: Tensor, step: float) -> Tensor:
    """Where radii lie on the list of computed ones, as fractional indices."""
    return (radius.clamp(max=FINE_UP_TO) * FINER + (radius - FINE_UP_TO).clamp(min=0)) / step


def radius_at(index: int, step: float) -> float:
    """The inverse of :func:`place_of`."""
    return index * step / FINER if index * step <= FINE_UP_TO * FINER else index * step - FINE_UP_TO * (FINER - 1)


def _bins(place: Tensor) -> list[int]:
    """Whole numbers that have a pixel less than 1 away, in rising order."""
    below = place.floor()
    return torch.unique(torch.cat([below, place.ceil()])).int().tolist()


def share_of(place: Tensor, j: int) -> Tensor:
    return (1 - (place - j).abs()).clamp_(min=0)


def _size(place: Tensor, radius: float) -> tuple[int, int]:
    reach = math.floor(radius) + 1
    height, width = place.shape
    return fast_size(max(height + reach, 2 * reach + 1)), fast_size(max(width + reach, 2 * reach + 1))


def _cropped(spectrum: Tensor, size: tuple[int, int], like: Tensor) -> Tensor:
    return torch.fft.irfft2(spectrum, s=size)[: like.shape[0], : like.shape[1]]
