"""Blurs and the synthetic scene renderer against the plain ways of doing the same.

Run: python benchmarks/optics.py (about 1 minute).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from side_by_side import compare, header
from torch import Tensor

from bokehbench.optics.aperture_kernels import disk
from bokehbench.optics.blur import blur
from bokehbench.optics.plane import blur_plane
from bokehbench.optics.row_runs import gather

SIZE, RADIUS = 320, 10


def planes() -> list[Tensor]:
    """A background and two soft-edged objects, premultiplied RGBA."""
    made = torch.Generator().manual_seed(0)
    axis = torch.linspace(-0.5, 0.5, SIZE)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    made_planes = []
    for row, column, extent in ((0.0, 0.0, 9.0), (-0.1, -0.15, 0.2), (0.15, 0.2, 0.25)):
        alpha = ((extent - (x - column).hypot(y - row)) * SIZE).clamp(0, 1)
        made_planes.append(torch.cat([torch.rand(3, SIZE, SIZE, generator=made) * alpha, alpha[None]]))
    return made_planes


def over(blurred: list[Tensor]) -> Tensor:
    """Premultiplied planes, composited from back to front, in place."""
    picture = blurred[0]
    for plane in blurred[1:]:
        picture.mul_(1 - plane[3:]).add_(plane)
    return picture


def dense(rgba: Tensor, kernel: Tensor) -> Tensor:
    """Depthwise convolution of C H W with every tap; padded by hand, since conv2d's own padding is 40 times slower."""
    channels, reach = len(rgba), kernel.shape[0] // 2
    taps = kernel[None, None].expand(channels, 1, -1, -1)
    return F.conv2d(F.pad(rgba[None], (reach,) * 4), taps, groups=channels)[0]


def scenes() -> None:
    """Planes parallel to the sensor, as the synthetic data has them."""
    header(f"Scene of three RGBA planes, {SIZE} px, radius {RADIUS}")
    constant, kernel = planes(), disk(RADIUS)
    ways = {
        "one dense convolution per plane": lambda: over([dense(rgba, kernel) for rgba in constant]),
        "blur_plane": lambda: over([blur_plane(rgba, RADIUS) for rgba in constant]),
    }
    results = [way() for way in ways.values()]
    torch.testing.assert_close(results[0], results[1], atol=2e-5, rtol=0)
    assert compare("constant planes", ways, rounds=15)["blur_plane"] >= 4


def single_blurs() -> None:
    """What ROW_RUNS_UP_TO rests on: one disk, four maps of 512 x 768."""
    header("One hard disk, 4 maps of 512 x 768")
    maps = torch.rand(4, 512, 768)
    for radius in (1, 3, 6, 12, 16, 34):
        kernel = disk(radius)
        padded = F.pad(maps, (radius,) * 4)
        ways = {
            "dense depthwise": lambda k=kernel: dense(maps, k),  # type: ignore[misc]
            "FFT, one map at a time": lambda k=kernel: blur(maps, k),  # type: ignore[misc]
            "row runs": lambda p=padded, r=radius: gather(p, r * r),  # type: ignore[misc]
        }
        results = [way() for way in ways.values()]
        torch.testing.assert_close(results[1], results[0], atol=5e-5, rtol=0)
        torch.testing.assert_close(results[1], results[2], atol=5e-6, rtol=0)
        compare(f"radius {radius}", ways)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        scenes()
        single_blurs()
