"""Blurs and the synthetic scene renderer against the plain ways of doing the same.

Run: python benchmarks/optics.py (about 1 minute).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from side_by_side import compare, header
from torch import Tensor

from bokehbench.optics.aperture_kernels import ROUNDING, disk, squared_distances
from bokehbench.optics.blur import blur
from bokehbench.optics.plane import blur_plane
from bokehbench.optics.row_runs import gather

SIZE, RADIUS = 320, 10
Plane = tuple[Tensor, "float | Tensor"]


def planes(sloping: bool, angle: float = 0.4) -> list[Plane]:
    """A background and two soft-edged objects, premultiplied RGBA, with their radii in px."""
    made = torch.Generator().manual_seed(0)
    axis = torch.linspace(-0.5, 0.5, SIZE)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    ramp = x * torch.cos(torch.tensor(angle)) + y * torch.sin(torch.tensor(angle))
    ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    made_planes: list[Plane] = []
    for row, column, extent in ((0.0, 0.0, 9.0), (-0.1, -0.15, 0.2), (0.15, 0.2, 0.25)):
        alpha = ((extent - (x - column).hypot(y - row)) * SIZE).clamp(0, 1)
        rgba = torch.cat([torch.rand(3, SIZE, SIZE, generator=made) * alpha, alpha[None]])
        made_planes.append((rgba, RADIUS * ramp if sloping else float(RADIUS)))
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


def full_frame_bins(rgba: Tensor, radius: Tensor) -> Tensor:
    """One blur of the whole frame for every distinct disk: radii between two sums of two squares share one."""
    squares = (radius.double().square() * (1 + ROUNDING)).floor()
    distinct = squared_distances(RADIUS).unique()
    group = torch.bucketize(squares, distinct, right=True) - 1
    out = torch.zeros_like(rgba)
    for index in group.unique().tolist():
        out += blur(rgba * (group == index), disk(float(distinct[index]) ** 0.5))
    return out


def scenes() -> None:
    """The synthetic data's scenes: constant and sloping planes."""
    header(f"Scene of three RGBA planes, {SIZE} px, radius {RADIUS}")
    constant = planes(sloping=False)
    kernel = disk(RADIUS)
    ways = {
        "one dense convolution per plane": lambda: over([dense(rgba, kernel) for rgba, _ in constant]),
        "blur_plane": lambda: over([blur_plane(rgba, radius) for rgba, radius in constant]),
    }
    results = [way() for way in ways.values()]
    torch.testing.assert_close(results[0], results[1], atol=2e-5, rtol=0)
    assert compare("constant planes", ways, rounds=15)["blur_plane"] >= 4

    for name, angle in (("sloping along the rows", 0.0), ("sloping along a diagonal", 0.785)):
        sloping = planes(sloping=True, angle=angle)
        ways = {
            "full-frame bins": lambda p=sloping: over([full_frame_bins(*plane) for plane in p]),  # type: ignore[misc]
            "blur_plane": lambda p=sloping: over([blur_plane(*plane) for plane in p]),  # type: ignore[misc]
        }
        results = [way() for way in ways.values()]
        torch.testing.assert_close(results[0], results[1], atol=2e-5, rtol=0)
        assert compare(name, ways)["blur_plane"] >= 3


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
