"""Corruption of a foreground's disparity plane, which stands for the errors of predicted disparity near edges."""

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

from bokehbench.data.synthetic.noise import Generator, chance, uniform


def dilate(region: Tensor, radius_y: float, radius_x: float) -> Tensor:
    """Grow a region (H W bool) by the ellipse (y/radius_y)^2 + (x/radius_x)^2 <= 1; the frame's edge repeats outside.

    By row runs: the region widened by each half width of the ellipse once, then shifted up and down. kornia's
    dilation gathers every one of the ellipse's pixels instead, about 100 times the work.
    """
    rows, columns = int(radius_y), int(radius_x)
    height, width = region.shape
    padded = functional.pad(region[None, None].float(), (columns, columns, rows, rows), mode="replicate")[0, 0] > 0.5
    widened = padded[:, columns : columns + width].clone()
    grown = torch.zeros_like(region)
    half = 0
    for row in range(rows, -1, -1):
        reach = int(radius_x * math.sqrt(max(1 - (row / radius_y) ** 2, 0.0)) + 1e-6)
        while half < reach:
            half += 1
            widened |= padded[:, columns - half : columns - half + width]
            widened |= padded[:, columns + half : columns + half + width]
        grown |= widened[rows - row : rows - row + height]
        grown |= widened[rows + row : rows + row + height]
    return grown


def erode(region: Tensor, radius_y: float, radius_x: float) -> Tensor:
    """Shrink a region (H W bool) by an ellipse: the complement of :func:`dilate` of the complement."""
    return ~dilate(~region, radius_y, radius_x)


def corrupt(rng: Generator, region: Tensor, scale: float, probability: float = 0.75) -> Tensor:
    """With ``probability``, dilate or erode (evenly) a foreground's region (H W bool) by a random ellipse.

    DeepLens (Wang et al. 2018, Sec. 4.2) says only that foreground planes are dilated or eroded at random. Ours: both
    semi-axes uniform in 1 to 6 pixels at the 320 level, times ``scale`` = long side / 320.
    """
    applied, grows = chance(rng, probability), chance(rng, 0.5)
    radius_y, radius_x = (max(uniform(rng, 1, 6) * scale, 1.0) for _ in range(2))
    if not applied:
        return region
    return dilate(region, radius_y, radius_x) if grows else erode(region, radius_y, radius_x)
