"""Slow, obviously right versions of the optics: loops over pixels or over shifts, float64."""

from __future__ import annotations

import math

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
    """BokehMe's sums as they are written, for B C H W and B 1 H W: one shift of the picture after the other."""
    height, width = defocus.shape[-2:]
    radius = defocus.abs()
    reach = (radius.floor() + 1).masked_fill(radius == 0, 0)
    energy = 1 / (radius.square() + 0.2)
    stack = torch.cat([image**gamma * energy, energy], 1)
    out = torch.zeros_like(stack)
    rows, columns = (min(int(reach.max()), side - 1) for side in (height, width))
    for dy in range(-rows, rows + 1):
        for dx in range(-columns, columns + 1):
            weight = (0.5 + 0.5 * torch.tanh(4 * (radius - math.hypot(dx, dy)))) * (reach >= max(abs(dx), abs(dy)))
            sent = (stack * weight)[..., max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
            out[..., max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] += sent
    return (out[:, :-1] / out[:, -1:]) ** (1 / gamma)


def composited(stack: Tensor, masks: Tensor, kernels: list[Tensor], padding: str) -> tuple[Tensor, Tensor]:
    """Back-to-front over-compositing of C H W and N H W, one layer after the other."""
    light, cover = torch.zeros_like(stack), torch.zeros_like(masks[:1])
    for mask, kernel in zip(masks, kernels, strict=True):
        a = blurred(mask[None], kernel, padding)
        light = light * (1 - a) + blurred(mask * stack, kernel, padding)
        cover = cover * (1 - a) + a
    return light, cover
