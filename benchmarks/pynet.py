"""PyNET against a plain transcription of its tables: forward, bf16 training, checkpointing.

    python benchmarks/pynet.py [--size 256] [--memory-size 512] [--width 32] [--level 1] [--rounds 5]

Both ways use the same weights; outputs are asserted equal to 1e-4 first. Sizes are half-size crops.
"""

from __future__ import annotations

import argparse
import multiprocessing

import torch
import torch.nn.functional as F
from side_by_side import compare, header, peak_growth
from torch import Tensor, nn

from bokehbench.nets.pynet import PyNETNet
from bokehbench.nets.pynet.blocks import Branch, MultiKernelBlock, space_to_depth


def plain_norm(norm: nn.Module, x: Tensor) -> Tensor:
    if isinstance(norm, nn.GroupNorm):
        return F.instance_norm(x, weight=norm.weight, bias=norm.bias, eps=norm.eps)
    return x


def plain_branch(branch: Branch, x: Tensor) -> Tensor:
    x = F.leaky_relu(plain_norm(branch.norm_1, branch.conv_1(x)), 0.2)
    return F.leaky_relu(plain_norm(branch.norm_2, branch.conv_2(x)), 0.2)


def plain_block(block: MultiKernelBlock, x: Tensor) -> Tensor:
    branches = list(block.children())
    out = plain_branch(branches[0], x)
    for branch in branches[1:]:
        out = torch.cat([out, plain_branch(branch, x)], 1)
    return out


def plain_up(weight: Tensor, x: Tensor) -> Tensor:
    return F.leaky_relu(F.conv_transpose2d(x, weight, stride=2)[..., :-1, :-1], 0.2)


def plain(net: PyNETNet, x: Tensor, level: int = 1) -> Tensor:
    """The network as the tables read, one line per step."""
    run, cat, up = plain_block, lambda *parts: torch.cat(parts, 1), plain_up
    e3 = run(net.encoder.level_3, space_to_depth(x))
    e4 = run(net.encoder.level_4, F.max_pool2d(e3, 2))
    e5 = run(net.encoder.level_5, F.max_pool2d(e4, 2))
    e6 = run(net.encoder.level_6, F.max_pool2d(e5, 2))
    n = net.level_7
    a = run(n.a, F.max_pool2d(e6, 2))
    b = run(n.b, a) + a
    c = run(n.c, b) + b
    f = run(n.d, c)
    if level == 7:
        return 0.58 * torch.tanh(n.head(f)) + 0.5
    n = net.level_6
    u, v = up(n.up.u, f), up(n.up.v, f)
    a = run(n.a, cat(e6, u))
    b = run(n.b, a) + a
    c = run(n.c, b) + b
    f = run(n.e, cat(run(n.d, c), v))
    n = net.level_5
    u, v = up(n.up.u, f), up(n.up.v, f)
    x0 = cat(e5, u)
    x1 = run(n.x1, x0) + x0
    x2 = run(n.x2, x1) + x1
    x3 = run(n.x3, x2) + x2
    f = run(n.x5, cat(cat(run(n.x4, x3), e5), v))
    if level == 5:
        return 0.58 * torch.tanh(n.head(f)) + 0.5
    n = net.level_4
    u, v = up(n.up.u, f), up(n.up.v, f)
    y0 = cat(run(n.y0, cat(e4, u)), e4)
    y1 = run(n.y1, y0) + y0
    y2 = run(n.y2, y1) + y1
    y3 = run(n.y3, y2) + y2
    y4 = cat(run(n.y4, y3), e4)
    f = run(n.y6, cat(run(n.y5, y4), v))
    n = net.level_3
    u, v = up(n.up.u, f), up(n.up.v, f)
    z0 = cat(run(n.z0, cat(e3, u)), e3)
    z2 = run(n.z2, run(n.z1, z0))
    z3 = run(n.z3, z2) + z2
    z4 = run(n.z4, z3) + z3
    z5 = run(n.z5, z4) + z4
    z6 = cat(run(n.z6, z5), e3)
    f = run(n.z8, cat(cat(run(n.z7, z6), v), e3))
    if level == 3:
        return 0.58 * torch.tanh(n.head(f)) + 0.5
    q = net.level_2.head(up(net.level_2.up.weight, f))
    return 0.58 * torch.tanh(net.level_1.head(up(net.level_1.up.weight, q))) + 0.5


def step(net: PyNETNet, x: Tensor, target: Tensor, level: int, bf16: bool = False, transcription: bool = False) -> None:
    """Forward, L1 loss, backward, gradients dropped again (the optimiser costs the same for all ways)."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        output = plain(net, x, level) if transcription else net(x, level)
    (output.float() - target).abs().mean().backward()
    net.zero_grad(set_to_none=True)


def _peak(width: int, size: int, level: int, checkpointing: bool) -> int:
    torch.set_num_threads(1)
    net = PyNETNet(width, checkpointing=checkpointing)
    # A tiny step first: modules that torch imports on first use (dynamo, as any optimiser does) are not the network's.
    step(net, torch.rand(1, 4, 64, 64), torch.rand(1, 3, 128 >> (level - 1), 128 >> (level - 1)), level)
    side = 2 * size >> (level - 1)
    x, target = torch.rand(1, 4, size, size), torch.rand(1, 3, side, side)
    return peak_growth(lambda: step(net, x, target, level))


def fresh_peak(width: int, size: int, level: int, checkpointing: bool) -> int:
    """Bytes; in a process of its own, since an allocator that has grown once hides every later peak."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (width, size, level, checkpointing))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--memory-size", type=int, default=512)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--level", type=int, default=1, choices=(7, 5, 3, 1))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, level = PyNETNet(args.width), args.level
    x = torch.rand(1, 4, args.size, args.size)
    with torch.no_grad():
        output = net(x, level)
        torch.testing.assert_close(output, plain(net, x, level), atol=1e-4, rtol=0)
        header(f"PyNET, width {args.width}, level {level}, half-size crop {args.size}")
        subject = f"forward fp32, level {level}"
        compare(subject, {"plain": lambda: plain(net, x, level), "ours": lambda: net(x, level)}, args.rounds)
    target = torch.rand_like(output)
    thrifty = PyNETNet(args.width, checkpointing=True)
    half = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    ways = {
        "plain fp32": lambda: step(net, x, target, level, transcription=True),
        "fp32": lambda: step(net, x, target, level),
    }
    if half:
        ways["plain bf16 autocast"] = lambda: step(net, x, target, level, bf16=True, transcription=True)
        ways["bf16 autocast"] = lambda: step(net, x, target, level, bf16=True)
    else:
        print("(no bf16 convolutions on this CPU: that row is left out)")
    compare(f"training step, level {level}", ways, args.rounds)

    compare(
        f"training step, level {level}",
        {"all kept": lambda: step(net, x, target, level), "checkpointing": lambda: step(thrifty, x, target, level)},
        args.rounds,
    )
    kept, recomputed = (fresh_peak(args.width, args.memory_size, level, on) for on in (False, True))
    print(
        f"\nPeak growth of resident size in one step at crop {args.memory_size}, gradients included: "
        f"{kept / 2**20:.0f} MiB all kept, {recomputed / 2**20:.0f} MiB checkpointing = {recomputed / kept:.2f}x"
    )


if __name__ == "__main__":
    main()
