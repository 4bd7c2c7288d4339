"""Slow, obviously right versions of the optics: one loop per pixel, float64."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def _outside(index: int, size: int, padding: str) -> int | None:
    if 0 <= index < size:
        return index
    if padding == "replicate" or (padding == "reflect" and size == 1):
        return min(max(index, 0), size - 1)
    if padding == "reflect":
        while not 0 <= index < size:
            index = -index if index < 0 else 2 * (size - 1) - index
        return index
    return None


def blurred(image: Tensor, kernel: Tensor, padding: str = "zero") -> Tensor:
    """out(p) = sum_q kernel(p - q) image(q) of C H W, with the picture continued as ``padding`` says."""
    height, width = image.shape[-2:]
    up, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    out = torch.zeros_like(image)
    for y in range(height):
        for x in range(width):
            for dy in range(-up, up + 1):
                for dx in range(-left, left + 1):
                    row, column = _outside(y - dy, height, padding), _outside(x - dx, width, padding)
                    if row is not None and column is not None:
                        out[:, y, x] += kernel[up + dy, left + dx] * image[:, row, column]
    return out


def spread(plane: Tensor, radius: Tensor) -> Tensor:
    """Every pixel of C H W divided evenly among the lattice points of its disk; what leaves the frame is lost."""
    height, width = plane.shape[-2:]
    out = torch.zeros_like(plane)
    for y in range(height):
        for x in range(width):
            r = float(radius[y, x])
            reach = math.floor(r) + 1
            around = range(-reach, reach + 1)
            disk = [(dy, dx) for dy in around for dx in around if dy * dy + dx * dx <= r * r + 1e-5]
            for dy, dx in disk:
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    out[:, y + dy, x + dx] += plane[:, y, x] / len(disk)
    return out


def scattered(image: Tensor, defocus: Tensor, gamma: float = 1.0) -> Tensor:
    """BokehMe's sums as they are written, for C H W and H W."""
    height, width = defocus.shape
    above, below = torch.zeros_like(image), torch.zeros_like(defocus)
    for y in range(height):
        for x in range(width):
            r = abs(float(defocus[y, x]))
            reach = math.floor(r) + 1 if r > 0 else 0
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    if 0 <= y + dy < height and 0 <= x + dx < width:
                        w = (0.5 + 0.5 * np.tanh(4 * (r - math.hypot(dy, dx)))) / (r * r + 0.2)
                        above[:, y + dy, x + dx] += w * image[:, y, x] ** gamma
                        below[y + dy, x + dx] += w
    return (above / below) ** (1 / gamma)


def composited(stack: Tensor, masks: Tensor, kernels: list[Tensor], padding: str) -> tuple[Tensor, Tensor]:
    """Back-to-front over-compositing of C H W and N H W, one layer after the other."""
    light, cover = torch.zeros_like(stack), torch.zeros_like(masks[:1])
    for mask, kernel in zip(masks, kernels, strict=True):
        a = blurred(mask[None], kernel, padding)
        light = light * (1 - a) + blurred(mask * stack, kernel, padding)
        cover = cover * (1 - a) + a
    return light, cover
