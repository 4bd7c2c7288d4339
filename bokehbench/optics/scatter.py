"""Reference renderer: every pixel spreads at its own fractional radius (BokehMe's classical renderer, CVPR 2022)."""

import math

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from bokehbench.errors import BokehbenchError
from bokehbench.optics.aperture_kernels import soft_edge, squared_distances
from bokehbench.optics.circle_of_confusion import check_map
from bokehbench.optics.convolution import fast_size, spectrum_of

#: Keeps the energy of a sharp pixel finite: w is divided by R² + 0.2.
SHARPEST = 0.2
#: Below this radius (px), where a disk has few points, radii are spaced FINER times as densely.
FINE_UP_TO = 4.0
FINER = 4


def scatter(image: Tensor, defocus: Tensor, *, gamma: float = 1.0, step: float | None = 0.25) -> Tensor:
    """Average what all pixels q send to p: result(p) = (sum_q w I(q)^gamma / sum_q w)^(1 / gamma), B 3 H W.

    w = [1/2 + 1/2 tanh(4 (R - d))] / (R² + 0.2), with R = |defocus(q)| and d = |p - q|, in the square of half-side
    floor(R) + 1. There is no depth order: blurred background bleeds onto what is in focus, as in the original. A pixel
    with R = 0 stays where it is (the formula would send 0.07 % to each neighbour), so that radius 0 is the identity.

    ``image`` B 3 H W in [0, 1]; ``defocus`` B 1 H W, radius in px, signed or not; what leaves the frame is dropped.
    ``step`` is the spacing in px of the radii that are computed; a radius in between is interpolated linearly between
    the two disks beside it, which changes the result by at most 0.005 at 0.25 px (0.02 at 0.5 px; below 4 px radii are
    spaced 4 times as densely), measured on white noise in [0, 1];
    None is exact, with (2R + 3)² passes over the picture: for small pictures only. Differentiable with respect to
    both. Raises BokehbenchError for a step <= 0 or a map that does not fit.
    """
    if step is not None and not step > 0:
        raise BokehbenchError(f"scatter needs a step > 0 px, not {step} (None is exact).")
    check_map(defocus, image)
    work = torch.float64 if image.dtype == torch.float64 else torch.float32
    light = image.to(work) if gamma == 1 else image.to(work).clamp(min=0) ** gamma
    radius = defocus.to(work).abs()
    energy = 1 / (radius.square() + SHARPEST)
    stack = torch.cat([light * energy, energy], 1)
    spread = _exact(stack, radius) if step is None else _binned(stack, radius, step)
    result = (spread[:, :-1] / spread[:, -1:]).to(image.dtype)
    return result if gamma == 1 else result.clamp(min=0) ** (1 / gamma)


def _exact(stack: Tensor, radius: Tensor) -> Tensor:
    """The sum as it is written, one shift of the picture after the other."""
    height, width = radius.shape[-2:]
    half_side = (radius.detach().floor() + 1).masked_fill(radius.detach() == 0, 0)
    reach = int(half_side.max())
    out = torch.zeros_like(stack)
    for dy in range(-min(reach, height - 1), min(reach, height - 1) + 1):
        for dx in range(-min(reach, width - 1), min(reach, width - 1) + 1):
            weight = soft_edge(radius, radius.new_tensor(math.hypot(dx, dy)))
            sent = stack * weight * (half_side >= max(abs(dx), abs(dy)))
            source = sent[..., max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
            target = (..., slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
            out[target] += source
    return out


def _disk_at(radius: float) -> Tensor:
    """BokehMe's disk before its energy is divided out; a point for radius 0."""
    if radius == 0:
        return torch.full((1, 1), 0.5, dtype=torch.float64)
    return soft_edge(radius, squared_distances(math.floor(radius) + 1).sqrt())


def _binned(stack: Tensor, radius: Tensor, step: float) -> Tensor:
    """Tent-weighted sum of convolutions, added up in the frequency domain: one inverse transform per map for all radii.

    For the backward pass its inputs are kept alone.
    """
    pictures = []
    for maps, place in zip(stack, _place(radius[:, 0], step), strict=True):
        bins = _bins(place.detach())
        size = _size(place, _radius_at(bins[-1], step))
        sums = [torch.fft.rfft2(torch.zeros_like(place), s=size) for _ in maps]
        for j in bins:
            disk = _disk_at(_radius_at(j, step)).to(maps)
            if stack.requires_grad:
                sent = checkpoint(_sent, maps, place, j, disk, size, use_reentrant=False, preserve_rng_state=False)
            else:  # torch takes seconds to load for the first checkpoint
                sent = _sent(maps, place, j, disk, size)
            for total, one in zip(sums, sent, strict=True):
                total += one
        cropped = [torch.fft.irfft2(total, s=size)[: place.shape[0], : place.shape[1]] for total in sums]
        pictures.append(torch.stack(cropped))
    return torch.stack(pictures)


def _sent(maps: Tensor, place: Tensor, j: int, disk: Tensor, size: tuple[int, int]) -> list[Tensor]:
    """Spectra of what the pixels near bin ``j`` send."""
    share, spectrum = (1 - (place - j).abs()).relu(), spectrum_of(disk, size)
    return [torch.fft.rfft2(one * share, s=size).mul_(spectrum) for one in maps]


def _place(radius: Tensor, step: float) -> Tensor:
    """Where radii lie on the list of computed ones, as fractional indices."""
    coarse = FINE_UP_TO * FINER + (radius - FINE_UP_TO)
    return torch.where(radius < FINE_UP_TO, radius * FINER, coarse) / step


def _radius_at(index: int, step: float) -> float:
    """The inverse of :func:`_place`."""
    return index * step / FINER if index * step <= FINE_UP_TO * FINER else index * step - FINE_UP_TO * (FINER - 1)


def _bins(place: Tensor) -> list[int]:
    """Whole numbers that have a pixel less than 1 away, in rising order."""
    below = place.floor()
    return torch.unique(torch.cat([below, place.ceil()])).int().tolist()


def _size(place: Tensor, radius: float) -> tuple[int, int]:
    reach = math.floor(radius) + 1
    height, width = place.shape
    return fast_size(max(height + reach, 2 * reach + 1)), fast_size(max(width + reach, 2 * reach + 1))
