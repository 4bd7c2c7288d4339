"""Speed of the synthetic data set on one core: the renderer against its obvious forms, and samples per second.

    python benchmarks/synthetic.py

Issue goals at 320 px, radius 10: >= 4x over one dense convolution per plane (constant planes), >= 3x over full-frame
bins (sloping background), >= 20 samples per second and core.
"""

from __future__ import annotations

import statistics
import time

import torch
import torch.nn.functional as functional
from side_by_side import compare, header
from torch import Tensor

from bokehbench.data.synthetic.scene import Foreground, Scene
from bokehbench.data.synthetic_dof import SyntheticDoF, SyntheticScenes
from bokehbench.optics.aperture_kernels import disk
from bokehbench.optics.blur import disk_blur
from bokehbench.optics.linear_light import to_srgb

SIZE, RADIUS, ROUNDS, SCENES = 320, 10.0, 7, 24


def whole(plane: Foreground, shape: tuple[int, int]) -> Tensor:
    """The object on the whole canvas, 4 H W."""
    rgba = torch.zeros(4, *shape)
    _, height, width = plane.rgba.shape
    rgba[:, plane.top : plane.top + height, plane.left : plane.left + width] = plane.rgba
    return rgba


def dense(plane: Tensor, radius: float) -> Tensor:
    """C H W by one dense depthwise convolution."""
    kernel = disk(radius).expand(len(plane), 1, -1, -1)
    return functional.conv2d(plane[None], kernel, padding=kernel.shape[-1] // 2, groups=len(plane))[0]


def full_frame_bins(plane: Tensor, radius: Tensor) -> Tensor:
    """C H W with a map of radii: one full-frame blur per lattice radius, the same blur as ours."""
    squared = (radius.double().square() * (1 + 1e-9)).long()
    axis = torch.arange(int(squared.max()) ** 0.5 // 1 + 1).square()
    sums = torch.unique(axis[:, None] + axis)
    which = torch.bucketize(squared, sums, right=True) - 1
    out = torch.zeros_like(plane)
    for index in which.unique().tolist():
        out += disk_blur(plane * (which == index), float(sums[index]) ** 0.5)
    return out


def obvious(scene: Scene, aperture: float) -> Tensor:
    """The scene's picture with every plane blurred on the whole canvas."""
    shape = (scene.backdrop.shape[1], scene.backdrop.shape[2])
    inside = slice(scene.margin, -scene.margin)
    opaque = torch.cat([scene.backdrop, torch.ones(1, *shape)])
    radius = aperture * (scene.backdrop_disparity - scene.focus).abs()
    spread = full_frame_bins(opaque, radius.expand(shape)) if radius.ndim else dense(opaque, float(radius))
    picture = spread[:3, inside, inside] / spread[3:, inside, inside]
    for plane in scene.foregrounds:
        amount = aperture * abs(plane.disparity - scene.focus)
        rgba = full_frame_bins(whole(plane, shape), torch.full(shape, amount)) if radius.ndim else None
        rgba = dense(whole(plane, shape), amount) if rgba is None else rgba
        rgba = rgba[:, inside, inside]
        picture = rgba[:3] + (1 - rgba[3:]) * picture
    return to_srgb(picture.clamp(0, 1))


def scenes(slope: float) -> SyntheticScenes:
    """Training scenes that all have a sloping background, or all a constant one."""
    data = SyntheticDoF(size=SIZE, aperture=RADIUS, slope_probability=slope, num_workers=0)
    pictures = data.pictures("train")
    assert isinstance(pictures, SyntheticScenes)
    return pictures


def renderer(slope: float, baseline: str) -> None:
    """Pictures of the first scenes, ours against the obvious way."""
    drawn = [scenes(slope).scene(index)[0] for index in range(6)]
    for scene in drawn:
        torch.testing.assert_close(scene.picture(RADIUS), obvious(scene, RADIUS), atol=5e-4, rtol=0)
    compare(
        f"render {SIZE} px, radius {RADIUS:g}, {'sloping' if slope else 'constant'} background, {len(drawn)} scenes",
        {
            baseline: lambda: [obvious(scene, RADIUS) for scene in drawn],
            "planes in their boxes": lambda: [scene.picture(RADIUS) for scene in drawn],
        },
    )


def rate(slope: float) -> float:
    """Whole samples (textures, shapes, blur, corruption) per CPU second: median of rounds."""
    pictures = scenes(slope)
    rates = []
    for number in range(ROUNDS):
        start = time.process_time()
        for index in range(SCENES):
            pictures[number * SCENES + index]
        rates.append(SCENES / (time.process_time() - start))
    return statistics.median(rates)


if __name__ == "__main__":
    torch.set_num_threads(1)
    header("Synthetic data set")
    renderer(0.0, "one dense convolution per plane")
    renderer(1.0, "exact bins, full frame")
    print(f"\n| {SIZE} px, radius {RADIUS:g} | samples per second and core, median of {ROUNDS} x {SCENES} |\n|---|---|")
    for name, slope in (("constant backgrounds", 0.0), ("sloping backgrounds", 1.0), ("half and half", 0.5)):
        print(f"| {name} | {rate(slope):.1f} |", flush=True)
