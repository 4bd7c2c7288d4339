"""DeepLens: our networks against a literal transcription, refocusing, and the memory of a large render.

Run with ``python benchmarks/deeplens.py [step|mix|refocus|memory ...]``; about five minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from side_by_side import compare, cpu_name, header
from torch import Tensor, nn

from bokehbench.nets.blocks import ConvBN
from bokehbench.nets.deeplens import DeepLensNet, mix
from bokehbench.nets.deeplens.feature_network import FeatureNetwork
from bokehbench.nets.deeplens.kernel_network import Bottleneck


class Literal:
    """The rendering networks as the paper's tables read, on the parameters of one of our networks."""

    def __init__(self, net: DeepLensNet) -> None:
        self.net = net

    def conv(self, layer: ConvBN, x: Tensor) -> Tensor:
        kernel, stride = layer.conv.kernel_size[0], layer.conv.stride[0]
        x = layer.conv(self.net.numerics.pad(x, kernel, stride))
        x = layer.bn(x)
        return x if layer.slope is None else F.relu(x)

    def resize(self, x: Tensor, like: Tensor) -> Tensor:
        return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)

    def bottleneck(self, block: Bottleneck, x: Tensor) -> Tensor:
        shortcut = x if block.branch1 is None else self.conv(block.branch1, x)
        inner = self.conv(block.branch2c, self.conv(block.branch2b, self.conv(block.branch2a, x)))
        return F.relu(inner + shortcut)

    def kernels(self, image: Tensor, signed: Tensor) -> Tensor:
        net = self.net.kernel_network
        shallow = self.conv(net.conv1_shallow, torch.cat((image - 0.5, signed), 1))
        deep = self.conv(net.conv1, signed)
        for block in (net.res2a, net.res2b, net.res3a):
            deep = self.bottleneck(block, deep)
        x = torch.cat((self.resize(deep, image), shallow), 1)
        for block in (net.res4a, net.res4b, net.res4c):
            x = self.bottleneck(block, x)
        return F.relu(net.output(x))

    def features(self, net: FeatureNetwork, x: Tensor) -> Tensor:
        groups = [x]
        for layer in net.layers:
            assert isinstance(layer, nn.Conv2d)
            pad = layer.kernel_size[0] // 2
            for axis in (-2, -1):
                n = x.shape[axis]
                at = torch.arange(-pad, n + pad) % (2 * n)
                x = x.index_select(axis, torch.minimum(at, 2 * n - 1 - at))
            x = F.relu(layer(x))
            groups.append(x)
        return torch.cat(groups, 1)

    @staticmethod
    def mix(features: Tensor, weights: Tensor) -> Tensor:
        """Eq. 2 as in the released code: stack the colours, normalise the weights, multiply, sum."""
        stacked = torch.stack([features[:, colour::3] for colour in range(3)])
        weights = weights / (weights.sum(1, keepdim=True) + 2.2e-16)
        return (stacked * weights).sum(2).transpose(0, 1)

    def lens_blur(self, image: Tensor, signed: Tensor) -> Tensor:
        return self.mix(self.features(self.net.feature_network, image), self.kernels(image, signed))

    def upsample(self, image_low: Tensor, result_low: Tensor, signed_low: Tensor, image_high: Tensor) -> Tensor:
        net = self.net.upsampling_network
        coarse = net.coarse
        result_low = result_low.clamp(0, 1)
        one = self.conv(coarse.lr1, torch.cat((image_low, result_low, signed_low), 1))
        two = self.conv(coarse.lr2, one)
        three = self.conv(coarse.lr3, two)
        x = self.conv(coarse.lr5, self.conv(coarse.lr4_2, self.conv(coarse.lr4_1, three)))
        x = self.conv(coarse.lr6, self.resize(x, three) + three)
        x = self.conv(coarse.lr7, self.resize(x, two) + two)
        x = self.conv(coarse.lr8, self.resize(x, one) + one)
        x = torch.cat((image_high, self.conv(net.lr9, self.resize(x, image_high))), 1)
        for layer in net.pre:
            assert isinstance(layer, ConvBN)
            x = self.conv(layer, x)
        weights = F.relu(net.output(x))
        assert net.features is not None
        images = torch.cat((self.resize(result_low, image_high), image_high), 1)
        return self.mix(self.features(net.features, images), weights)


def rendering_loss(net: DeepLensNet | Literal, low: Tensor, signed: Tensor, high: Tensor) -> Tensor:
    """A stand-in for Eq. 6: both levels against the sharp image (the loss costs nothing beside the networks)."""
    result = net.lens_blur(low, signed)
    return F.mse_loss(result, low) + F.mse_loss(net.upsample(low, result, signed, high), high)


def patches(batch: int, size: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Low image, signed disparity and high image of a rendering step."""
    high = torch.rand(batch, 3, 2 * size, 2 * size, dtype=dtype)
    return F.avg_pool2d(high, 2), torch.rand(batch, 1, size, size, dtype=dtype) * 2 - 1, high


def training_net() -> DeepLensNet:
    """In training mode, with batch-norm statistics that both ways leave as they are."""
    torch.manual_seed(0)
    net = DeepLensNet(segmentation_head=False).train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    return net


def step(way: DeepLensNet | Literal, *inputs: Tensor) -> list[Tensor]:
    """Loss and gradients of every parameter of the rendering networks."""
    net = way.net if isinstance(way, Literal) else way
    parameters = [p for name, p in net.named_parameters() if not name.startswith("depth.")]
    loss = rendering_loss(way, *inputs)
    return [loss.detach(), *torch.autograd.grad(loss, parameters)]


def training_step() -> None:
    """Forward and backward of the rendering stage; the optimiser is the same for both ways and left out."""
    net = training_net().double()
    inputs = patches(1, 48, torch.float64)
    # Gradients are compared in float64: in float32 a ReLU's kink makes either way differ from the truth by 0.1 %.
    worst = max(
        float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-12))
        for ours, theirs in zip(step(net, *inputs), step(Literal(net), *inputs), strict=True)
    )
    assert worst < 1e-5, worst
    header("One training step of the rendering stage, 160 -> 320 px patches (forward + backward)")
    for batch in (1, 2):
        net = training_net()
        low, signed, high = patches(batch, 160, torch.float32)
        with torch.no_grad():
            result = net.lens_blur(low, signed)
            assert (result - Literal(net).lens_blur(low, signed)).abs().max() < 1e-5
            upsampled = (way.upsample(low, result, signed, high) for way in (net, Literal(net)))
            assert next(upsampled).sub(next(upsampled)).abs().max() < 1e-5
        ways = {
            "literal transcription": partial(step, Literal(net), low, signed, high),
            "bokehbench": partial(step, net, low, signed, high),
        }
        compare(f"batch {batch}", ways)


def mixing() -> None:
    """Eq. 2 alone, forward and backward."""
    header("Eq. 2, 32 channels, forward + backward")
    for size in (160, 320, 640):
        torch.manual_seed(0)
        features = torch.rand(1, 96, size, size, requires_grad=True)
        weights = torch.rand(1, 32, size, size, requires_grad=True)
        grad = torch.randn(1, 3, size, size)

        def run(way: Callable[[Tensor, Tensor], Tensor], *inputs: Tensor) -> tuple[Tensor, ...]:
            out = way(*inputs[:2])
            return out, *torch.autograd.grad(out, inputs[:2], inputs[2])

        ways = {"literal port": Literal.mix, "planes, custom backward": mix}
        runs = {name: partial(run, way, features, weights, grad) for name, way in ways.items()}
        for ours, theirs in zip(runs["planes, custom backward"](), runs["literal port"](), strict=True):
            assert (ours - theirs).abs().max() < 1e-5
        compare(f"{size} x {size}", runs)


@torch.no_grad()
def refocus() -> None:
    """A new focus on a photo that was rendered before: disparity and features are kept, the rest is computed again."""
    header("Refocus against a full render (3:2 photos)")
    net = DeepLensNet(segmentation_head=False).eval()
    for long in (320, 640, 1280):
        levels = net.pyramid(torch.rand(1, 3, long * 2 // 3, long))
        low = levels[0]
        disparity, features = net.predict_disparity(low), net.features(low)

        def full(levels: list[Tensor]) -> Tensor:
            low = levels[0]
            return net(levels, net.predict_disparity(low) - 0.3)[-1]

        def again(levels: list[Tensor], disparity: Tensor, features: Tensor) -> Tensor:
            return net(levels, disparity - 0.3, features)[-1]

        assert (full(levels) - again(levels, disparity, features)).abs().max() < 1e-6
        ways = {
            "full render": partial(full, levels),
            "refocus": partial(again, levels, disparity, features),
            "refocus, preview at the lowest level": partial(again, levels[:1], disparity, features),
        }
        compare(f"{long} px, {len(levels)} level(s)", ways)


@torch.no_grad()
def render_once(long: int) -> None:
    """One render of a 4:3 photo in a process of its own; prints seconds per part and the peak resident size."""
    net = DeepLensNet(segmentation_head=False).eval()
    image = torch.rand(1, 3, long * 3 // 4, long)
    before, start = peak_gib(), time.process_time()
    levels = net.pyramid(image)
    out = net(levels, net.predict_disparity(levels[0]) - 0.3)[-1]
    assert out.shape == image.shape
    seconds = time.process_time() - start
    print(f"| {long} x {long * 3 // 4} | {len(levels)} | {seconds:.1f} s | {before:.2f} GiB | {peak_gib():.2f} GiB |")


def peak_gib() -> float:
    """Peak resident size of this process; ru_maxrss would carry the parent's peak over exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**20


def memory() -> None:
    """Peak resident size of whole processes."""
    print(f"\n## Peak memory of a render, whole process\n\ntorch {torch.__version__}, 1 thread, {cpu_name()}\n")
    print("| size | levels | CPU time | resident before | peak resident |\n|---|---|---|---|---|", flush=True)
    for long in (1280, 2048, 4096):
        subprocess.run([sys.executable, __file__, "render-once", "--long", str(long)], check=True)


PARTS: dict[str, Callable[[], None]] = {"step": training_step, "mix": mixing, "refocus": refocus, "memory": memory}


def main() -> None:
    """Each part in a process of its own: a heap that an earlier part has grown would flatter the literal ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="|".join(PARTS))
    parser.add_argument("--here", action="store_true", help="run the parts in this process")
    parser.add_argument("--long", type=int, default=4096, help="long side in pixels of the photo of render-once")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part == "render-once":
            render_once(arguments.long)
        elif arguments.here:
            PARTS[part]()
        else:
            here = [sys.executable, __file__, part, "--here"]
            subprocess.run(here, check=True)
            if part in ("step", "mix"):
                print("\nThe same with MALLOC_MMAP_THRESHOLD_=1G, MALLOC_TRIM_THRESHOLD_=4G:", flush=True)
                tuned = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
                subprocess.run(here, check=True, env=os.environ | tuned)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
