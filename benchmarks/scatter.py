"""BokehMe's classical renderer against literal ports of its kernel in torch: one loop over pixels, one over shifts.

Run: python benchmarks/scatter.py (about 3 minutes).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from side_by_side import compare, header
from torch import Tensor

from bokehbench.optics import scatter


def scene(size: int, reach: float) -> tuple[Tensor, Tensor]:
    """A picture of noise and smooth signed radii up to ``reach`` px."""
    made = torch.Generator().manual_seed(0)
    radii = F.interpolate(torch.rand(1, 1, 8, 8, generator=made), (size, size), mode="bilinear")
    radii = (radii - radii.min()) / (radii.max() - radii.min())
    return torch.rand(1, 3, size, size, generator=made), reach * (2 * radii - 1)


def pixel_by_pixel(image: Tensor, defocus: Tensor) -> Tensor:
    """As the kernel does it: each pixel adds its disk to the square around it."""
    height, width = defocus.shape[-2:]
    sums = torch.zeros(4, height, width)
    source = torch.cat((image[0], torch.ones(1, height, width)))
    for y in range(height):
        for x in range(width):
            radius = abs(float(defocus[0, 0, y, x]))
            reach = math.floor(radius) + 1
            top, bottom, left, right = (
                max(y - reach, 0),
                min(y + reach + 1, height),
                max(x - reach, 0),
                min(x + reach + 1, width),
            )
            rows, columns = torch.arange(top, bottom)[:, None] - y, torch.arange(left, right)[None] - x
            distance = torch.hypot(rows.float(), columns.float())
            weight = (0.5 + 0.5 * torch.tanh(4 * (radius - distance))) / (radius * radius + 0.2)
            sums[:, top:bottom, left:right] += source[:, y, x, None, None] * weight
    return (sums[:3] / sums[3:])[None]


def shift_by_shift(image: Tensor, defocus: Tensor) -> Tensor:
    """The same sums, one shift of the whole picture after the other."""
    height, width = defocus.shape[-2:]
    radius = defocus.abs()
    side = radius.floor() + 1
    stack = torch.cat((image, torch.ones_like(defocus)), 1) / (radius.square() + 0.2)
    sums, reach = torch.zeros_like(stack), int(side.max())
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            weight = 0.5 + 0.5 * torch.tanh(4 * (radius - math.hypot(dy, dx)))
            sent = stack * weight * (side >= max(abs(dy), abs(dx)))
            rows = slice(max(0, dy), height + min(0, dy)), slice(max(0, -dy), height - max(0, dy))
            columns = slice(max(0, dx), width + min(0, dx)), slice(max(0, -dx), width - max(0, dx))
            sums[..., rows[0], columns[0]] += sent[..., rows[1], columns[1]]
    return sums[:, :3] / sums[:, 3:]


def main() -> None:
    """All ways on one thread."""
    torch.set_num_threads(1)
    header("Scattering, CPU")
    for size, reach in ((160, 8.0), (320, 8.0), (320, 16.0)):
        image, defocus = scene(size, reach)
        ways = {
            "loop over pixels": lambda i=image, d=defocus: pixel_by_pixel(i, d),  # type: ignore[misc]
            "loop over shifts": lambda i=image, d=defocus: shift_by_shift(i, d),  # type: ignore[misc]
            "scatter, exact": lambda i=image, d=defocus: scatter(i, d, step=None, leak=True),  # type: ignore[misc]
            "scatter, step 0.25": lambda i=image, d=defocus: scatter(i, d, leak=True),  # type: ignore[misc]
        }
        results = {name: way() for name, way in ways.items()}
        for name, atol in (("loop over shifts", 1e-5), ("scatter, exact", 1e-5), ("scatter, step 0.25", 6e-3)):
            torch.testing.assert_close(results[name], results["loop over pixels"], atol=atol, rtol=0)
        compare(f"{size} px, radii up to {reach:g} px", ways, rounds=3)


if __name__ == "__main__":
    main()
