"""Ray tracing against every step of every ray, as it was before: the same rays, the same picture.

Run: python benchmarks/ray_traced.py (about a minute).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from side_by_side import compare, header
from torch import Tensor

from bokehbench.data import SyntheticDoF
from bokehbench.optics import ray_traced, to_linear
from bokehbench.optics.ray_traced import lens_points, turns

#: Side of a block in px, so that 64 rays of its pixels are 2**18.
SIDE = 64


def every_step(image: Tensor, disparity: Tensor, focus: float, aperture: float) -> Tensor:
    """Block by block and step by step, from far to near; steps nearer than all of a block are left out."""
    near, far = float(disparity.max()), float(disparity.min())
    first, last = aperture * (near - focus), aperture * (far - focus)
    count = max(16, math.ceil(abs(first - last))) + 1
    march = [(near + (far - near) * k / (count - 1), first + (last - first) * k / (count - 1)) for k in range(count)]
    height, width = image.shape[-2:]
    rows = [
        torch.cat([block(image[0], disparity[0, 0], march, top, left) for left in range(0, width, SIDE)], 2)
        for top in range(0, height, SIDE)
    ]
    return torch.cat(rows, 1)[None]


def block(image: Tensor, depth: Tensor, march: list[tuple[float, float]], top: int, left: int) -> Tensor:
    """One block of the picture, 3 h w."""
    x, y = (t.float()[:, None, None] for t in lens_points(64, torch.float64).T)
    rows, columns = (range(at, min(at + SIDE, end)) for at, end in zip((top, left), depth.shape, strict=True))
    turn = turns(rows, columns).float()
    across, down = x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos()
    column, row = torch.arange(left, columns.stop).float(), torch.arange(top, rows.stop).float()[:, None]
    (near, first), (far, last) = march[0], march[-1]
    reach = math.ceil(max(abs(first), abs(last))) + 1
    above, before = max(0, top - reach), max(0, left - reach)
    passed = depth[above : rows.stop + reach, before : columns.stop + reach]
    height, width = passed.shape
    met = torch.full_like(across, far)
    low, high = (float(d) for d in passed.aminmax())
    start, stop = max(0, sum(at > high for at, _ in march) - 1), sum(at >= low for at, _ in march) + 1
    for at, spread in reversed(march[start:stop]):
        x = torch.add(column, across, alpha=spread).round_().clamp_(before, before + width - 1)
        y = torch.add(row, down, alpha=spread).round_().clamp_(above, above + height - 1)
        seen = passed.flatten()[x.add_(y, alpha=width).sub_(before + above * width).long()]
        met = torch.where(seen >= at, seen, met)
    spreads = last + (met - far) * ((first - last) / (near - far))
    x, y = column + across * spreads, row + down * spreads
    grid = torch.stack([x * (2 / (image.shape[-1] - 1)) - 1, y * (2 / (image.shape[-2] - 1)) - 1], -1)
    flat = grid.reshape(1, -1, grid.shape[-2], 2)
    sampled = F.grid_sample(image[None], flat, padding_mode="border", align_corners=True)[0]
    return sampled.reshape(3, *x.shape).mean(1)


def main() -> None:
    """Scenes of the synthetic data, a smooth map, and noise, where hardly a step can be left out."""
    torch.set_num_threads(1)
    header("Ray tracing, 320 px, 64 rays, aperture 8 px")
    pictures, made = SyntheticDoF().pictures("test"), torch.Generator().manual_seed(0)
    photo = to_linear(pictures[0]["image"][None])
    smooth = F.interpolate(torch.rand(1, 1, 6, 6, generator=made), (320, 320), mode="bilinear")
    scenes = {
        f"synthetic scene {index}": (to_linear(item["image"][None]), item["disparity"][None], float(item["focus"]))
        for index, item in ((index, pictures[index]) for index in range(4))
    } | {"smooth map": (photo, smooth, 0.4), "noise as a map": (photo, torch.rand(1, 1, 320, 320, generator=made), 0.4)}
    for name, given in scenes.items():
        ways = {
            "every step of every ray": lambda given=given: every_step(*given, 8.0),  # type: ignore[misc]
            "ray_traced": lambda given=given: ray_traced(*given, 8.0),  # type: ignore[misc]
        }
        one, other = (way() for way in ways.values())
        print(f"largest difference {float((one - other).abs().max()):.1e}", flush=True)
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
        compare(name, ways, rounds=3)


if __name__ == "__main__":
    with torch.no_grad():
        main()
