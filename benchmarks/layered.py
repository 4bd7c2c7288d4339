"""D2F's renderer at 512 x 768 with 15 layers: ours against the structure of the released code.

Run: python benchmarks/layered.py (about 4 minutes). The baseline is transcribed from the formulas (docs: D2F): dense
depthwise convolutions of explicitly padded maps, once for the weighted picture and once for the weights, each time with
the mask blurred again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from side_by_side import compare, header, peak_growth
from torch import Tensor

from bokehbench.optics.aperture_kernels import soft_disk
from bokehbench.optics.weighted_layers import RADII, weighted_layers

HEIGHT, WIDTH = 512, 768


def blurred(maps: Tensor, radius: int) -> Tensor:
    """Depthwise convolution of B C H W with the dense kernel."""
    if radius == 0:
        return maps
    channels = maps.shape[1]
    kernel = soft_disk(radius)[None, None].repeat(channels, 1, 1, 1)
    return F.conv2d(F.pad(maps, (radius,) * 4, mode="reflect"), kernel, groups=channels)


def composited(field: Tensor, defocus: Tensor) -> Tensor:
    """C(Z; D) = P / (T + 1e-10), layers from most blurred to sharp."""
    delta = 1 / (len(RADII) - 1)
    light = torch.zeros_like(field)
    cover = torch.zeros_like(defocus)
    for i in reversed(range(len(RADII))):
        mask = 0.5 + 0.5 * torch.tanh(100 * (delta - (defocus - i * delta).abs()))
        a = blurred(mask, RADII[i])
        light = light * (1 - a) + blurred(mask * field, RADII[i])
        cover = cover * (1 - a) + a
    return light / (cover + 1e-10)


def released(image: Tensor, defocus: Tensor, weight: Tensor) -> Tensor:
    """B = C(W x; D) / (C(W; D) + 1e-10)."""
    return composited(weight * image, defocus) / (composited(weight, defocus) + 1e-10)


def scene(least: float = 0.5) -> tuple[Tensor, Tensor, Tensor]:
    """A smooth picture with clipped lights, a defocus ramp with two steps, and weights as the radiance branch gives."""
    torch.manual_seed(0)
    image = F.interpolate(torch.rand(1, 3, HEIGHT // 8, WIDTH // 8), (HEIGHT, WIDTH), mode="bilinear")
    image = (1.3 * image).clamp(0, 1)
    ramp = torch.linspace(0, 1, WIDTH).expand(1, 1, HEIGHT, WIDTH).clone()
    ramp[..., 100:300, 200:400] = 0.02
    ramp[..., 300:450, 100:600] = 0.7
    clipped = (image >= 0.99).any(1, keepdim=True)
    weight = torch.where(clipped, 3 * image.clamp(min=least) ** 5, 0.3 + 0.4 * image.mean(1, keepdim=True))
    return image, ramp, weight


def backward_of(render: Callable[..., Tensor], inputs: tuple[Tensor, ...], noise: Tensor) -> list[Tensor]:
    """Gradients of the contracted picture with respect to picture, defocus and weights."""
    leaves = [one.clone().requires_grad_() for one in inputs]
    return list(torch.autograd.grad((render(*leaves) * noise).sum(), leaves))


def relative(ours: Tensor, theirs: Tensor) -> float:
    """Relative L2 difference."""
    return float((ours - theirs).norm() / theirs.norm())


def ways(inputs: tuple[Tensor, ...], noise: Tensor) -> dict[str, Callable[[], object]]:
    """Forward and backward, each way."""
    return {
        "released structure, dense": lambda: backward_of(released, inputs, noise),
        "ours": lambda: backward_of(weighted_layers, inputs, noise),
    }


def print_peak(way: str) -> None:
    """Print the growth of memory in MiB of one forward and backward pass in this process, which did nothing before."""
    torch.set_num_threads(1)
    inputs = tuple(one[..., :64, :96].contiguous() for one in scene())
    ways(inputs, torch.randn(1, 3, 64, 96))[way]()  # loads the libraries' own tables
    print(peak_growth(ways(scene(), torch.randn(1, 3, HEIGHT, WIDTH))[way]) / 2**20)


def peak(way: str) -> float:
    """The same from a fresh process, since memory that an earlier run gave back to the allocator would not count."""
    printed = subprocess.run([sys.executable, __file__, way], capture_output=True, text=True, check=True).stdout
    return float(printed)


def main() -> None:
    """Print the tables and fail where the goals are missed."""
    torch.set_num_threads(1)
    inputs, noise = scene(), torch.randn(1, 3, HEIGHT, WIDTH)
    with torch.no_grad():
        difference = relative(weighted_layers(*inputs), released(*inputs))
    gradients = zip(backward_of(weighted_layers, inputs, noise), backward_of(released, inputs, noise), strict=True)
    differences = [difference, *(relative(ours, theirs) for ours, theirs in gradients)]
    print("relative difference of picture and gradients (x, D, W):", ", ".join(f"{d:.1e}" for d in differences))
    assert max(differences) < 1e-5

    header(f"D2F layered rendering, {HEIGHT} x {WIDTH}, {len(RADII)} layers")
    weak = scene(least=0.0)
    with torch.no_grad():
        forward = compare(
            "forward",
            {
                "released structure, dense": lambda: released(*inputs),
                "ours": lambda: weighted_layers(*inputs),
                "ours, weights so weak that fp64 is needed": lambda: weighted_layers(*weak),
            },
        )
    both = compare("forward + backward", ways(inputs, noise))
    memory = {way: peak(way) for way in ways(inputs, noise)}
    baseline = memory["released structure, dense"]
    for way, growth in memory.items():
        print(f"| peak memory, forward + backward | {way} | {growth:.0f} MiB | {growth / baseline:.2f} |")
    assert forward["ours"] >= 10
    assert both["ours"] >= 15
    assert memory["ours"] <= 0.5 * baseline


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print_peak(sys.argv[1])
    else:
        main()
