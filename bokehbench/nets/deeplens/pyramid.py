"""Levels of an image for DeepLens' recurrent upsampling (spec 2, traps 12 and 13)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.nets.numerics import Numerics, Size

#: The lowest level's long side is at least this and less than twice this (where the image is not smaller anyway).
LOWEST = 320
#: The interactive evaluator shrinks anything larger to this long side.
OFFICIAL_CAP = 1280


def area_resize(image: Tensor, size: Size) -> Tensor:
    """Mean over each target pixel's exact footprint, fractions included: B C H W -> B C h w, for shrinking.

    OpenCV's INTER_AREA; torch's "area" mode rounds footprints to whole pixels.
    """
    return torch.cat([_area_resize(channel, size) for channel in image.split(1, -3)], -3)


def _area_resize(image: Tensor, size: Size) -> Tensor:
    """One channel, since float64 takes memory."""
    for axis, length in ((-2, size[0]), (-1, size[1])):
        n = image.shape[axis]
        if n == length:
            continue
        # Prefix sums in float64: thousands of float32 terms would lose the last digits of a difference.
        total = image.double().cumsum(axis).movedim(axis, -1)
        total = torch.cat((torch.zeros_like(total[..., :1]), total), -1)
        edge = torch.arange(length + 1, dtype=torch.float64, device=image.device) * (n / length)
        low = edge.floor().long().clamp(max=n - 1)
        at = torch.lerp(total.index_select(-1, low), total.index_select(-1, low + 1), edge - low)
        image = (at.diff(dim=-1) * (length / n)).to(image.dtype).movedim(-1, axis)
    return image


def area_product(picture: Tensor, size: Size) -> Tensor:
    """:func:`area_resize` as two matrix products, of sizes that may be symbols."""
    down, across = (_shares(n, length).to(picture.dtype) for n, length in zip(picture.shape[-2:], size, strict=True))
    return down @ picture @ across.mT


def _shares(pixels: int, length: int) -> Tensor:
    """What share of each of ``length`` footprints every pixel has: length x pixels, rows sum to 1."""
    edge, at = torch.arange(length + 1).double() * pixels / length, torch.arange(pixels).double()
    overlap = torch.minimum(edge[1:, None], at + 1) - torch.maximum(edge[:-1, None], at)
    return overlap.clamp(min=0.0) * length / pixels


def level_count(size: Size, numerics: Numerics) -> int:
    """Number of levels for an image of H x W.

    Modern: so many halvings that the lowest long side lies in [320, 640), as the strength of the blur is tied to that
    level (ours; the paper says "up to 2k"). Official: 3 from 1280 px, 2 from 640 px, else 1.
    """
    long = max(size)
    most = 3 if numerics.official else 64
    count = 1
    while long >= 2 * LOWEST and count < most:
        long //= 2
        count += 1
    return count


def pyramid(image: Tensor, numerics: Numerics) -> list[Tensor]:
    """B 3 H W -> the image's levels, *lowest first*, each half of the next by area, floor(size / 2).

    Official: an image whose long side exceeds 1280 is first shrunk to 1280 by area, so the last level is smaller than
    the image. Its size is rounded; the authors' float truncation made 1279 of some (trap 13).
    """
    height, width = image.shape[-2:]
    if numerics.official and max(height, width) > OFFICIAL_CAP:
        scale = OFFICIAL_CAP / max(height, width)
        height, width = max(round(height * scale), 1), max(round(width * scale), 1)
        image = area_resize(image, (height, width))
    levels = [image]
    for _ in range(level_count((height, width), numerics) - 1):
        height, width = max(height // 2, 1), max(width // 2, 1)
        levels.insert(0, area_resize(levels[0], (height, width)))
    return levels


def halve(picture: Tensor) -> Tensor:
    """B C H W at floor(H/2), floor(W/2), by area."""
    height, width = picture.shape[-2:]
    if height % 2 == 0 and width % 2 == 0:
        return F.avg_pool2d(picture, 2)
    return area_resize(picture, (height // 2, width // 2))


def resample(plane: Tensor, size: tuple[int, ...]) -> Tensor:
    """B 1 H W at ``size``, antialiased; untouched where it fits."""
    return plane if plane.shape[-2:] == size else F.interpolate(plane, size, mode="bilinear", antialias=True)
