"""Start of a fresh upsampling head as a copy of the coarser level's output, within the official topology.

A fresh official head at level 2 or 1 gives flat grey (output deviation 1.7e-5 at level 1); while it learns a picture
through a few hundred weights, Adam's full-size steps spoil the trained trunk. Here both heads start from the bilinearly
upsampled coarser output instead (before tanh), with nothing added to the network:

* Nearest-neighbour upsampling is the transposed kernel (1, 1, 0) x (1, 1, 0), and [1 2 1]/4 after it is bilinear
  upsampling, exactly: both fit one UpsamplingHead. What stands between is LeakyReLU(0.2).
* Level 2: leaky(t) - leaky(-t) = 1.2 t, so six of the eight channels carry +-RGB and the head recombines them linearly.
  Level 3's 3x3 head does not fit into the transposed kernel, so that kernel is the least-squares fit to the upsampled
  output of level 3. The spare two channels keep their first weights and enter with weight zero.
* Level 1: three channels leave no room for pairs, but the last layer of level 2 lies on level 1's path: its bias is
  raised until black is zero, LeakyReLU then sees no negative colours, and level 1's bias takes the shift back. (The
  output of level 2 is stale from there on, as all coarser outputs are in the authors' training.) The last
  convolution is the least-squares fit inside the picture. Zero padding then draws a dark frame of one pixel, which
  rendering cuts off with its margin and training removes; a fit that weighs the frame in costs 0.05 dB inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.nets.pynet.blocks import SLOPE
from bokehbench.nets.pynet.least_squares import BLACK, least_squares, to_rows
from bokehbench.nets.pynet.photo_path import start_level_3

if TYPE_CHECKING:
    from bokehbench.nets.pynet.pynet_net import PyNETNet

WINDOW = 64
"""Level 2 is fitted on the middle of each picture, up to this many pixels of level 3 a side: plenty for 288 weights."""


def smooth_pictures(channels: int, count: int = 4, size: int = 128, seed: int = 0) -> Tensor:
    """Random pictures with detail at every scale, count channels size size in [0, 1]; a fixed seed, any machine."""
    generator = torch.Generator().manual_seed(seed)
    picture = torch.zeros(count, channels, size, size)
    cells = 2
    while cells <= size:
        noise = torch.rand(count, channels, cells, cells, generator=generator) - 0.5
        # Half the amplitude at twice the frequency: the spectrum of photographs.
        picture += F.interpolate(noise, size=(size, size), mode="bilinear") * (2 / cells)
        cells *= 2
    low, high = picture.amin((2, 3), keepdim=True), picture.amax((2, 3), keepdim=True)
    return (picture - low) / (high - low)


def _upsampled(logits: Tensor) -> Tensor:
    return F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)


def _binomial(like: Tensor) -> Tensor:
    line = torch.tensor([0.25, 0.5, 0.25], device=like.device, dtype=like.dtype)
    return line[:, None] * line


def _level_2_rows(net: PyNETNet, inputs: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Per picture: the smoothed response of every tap of the transposed kernel, and the wanted RGB without bias."""
    taps = torch.eye(9, device=inputs.device, dtype=inputs.dtype).reshape(1, 9, 3, 3)
    for picture in inputs.split(1):
        *_, (_, z) = net.features(picture, 3)
        goal = _upsampled(net.level_3.head(z) - net.level_3.head.bias[:, None, None])
        height, width = (min(side, WINDOW) for side in z.shape[-2:])
        top, left = ((side - kept) // 2 for side, kept in zip(z.shape[-2:], (height, width), strict=True))
        z = z[0, :, None, top : top + height, left : left + width]
        goal = goal[0, :, 2 * top : 2 * (top + height), 2 * left : 2 * (left + width)]
        response = F.conv_transpose2d(z, taps, stride=2)[..., :-1, :-1].flatten(0, 1)[:, None]
        response = F.conv2d(response, _binomial(z)[None, None])[:, 0, 1:-1, 1:-1]
        yield to_rows(response), to_rows(goal[:, 2:-2, 2:-2])


def _start_level_2(net: PyNETNet, inputs: Tensor) -> None:
    up, head = net.level_2.up.weight, net.level_2.head
    taps = least_squares(_level_2_rows(net, inputs)).to(up).reshape(len(up), 3, 3, 3)  # in, kernel h, w, colour
    head.weight.zero_()
    head.bias.copy_(net.level_3.head.bias)
    for colour in range(3):
        for channel, sign in ((colour, 1), (colour + 3, -1)):
            up[:, channel] = sign * taps[..., colour]
            head.weight[colour, channel] = sign * _binomial(up) / (1 + SLOPE)


def _level_1_rows(net: PyNETNet, inputs: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Per picture: every tap of the last convolution on nearest-neighbour upsampled colours, and the wanted RGB."""
    for picture in inputs.split(1):
        logits = net.logits(picture, (2,))[2]
        response = F.unfold(net.level_1.up(logits), 3)[0]
        response = torch.cat([response, torch.ones_like(response[:1])])
        yield to_rows(response), to_rows(_upsampled(logits - BLACK)[0, :, 1:-1, 1:-1])


def _start_level_1(net: PyNETNet, inputs: Tensor) -> None:
    up, head = net.level_1.up.weight, net.level_1.head
    net.level_2.head.bias.add_(BLACK)
    up.zero_()
    for colour in range(3):
        up[colour, colour, :2, :2] = 1
    solution = least_squares(_level_1_rows(net, inputs)).to(up)
    head.weight.copy_(solution[:-1].T.reshape(3, 3, 3, 3))
    head.bias.copy_(solution[-1])


@torch.no_grad()
def start_level(net: PyNETNet, level: int, inputs: Tensor | None = None) -> None:
    """Start level 3 as the photo (:mod:`bokehbench.nets.pynet.photo_path`), 2 and 1 as described above, no other.

    Call it once per level: level 1's start moves a bias of level 2.

    Args:
        net: trained down to ``level + 1``; changed in place.
        level: the level about to be trained.
        inputs: B (3|4) H W, a few training inputs (4 are enough, one at a time is in memory); random smooth pictures
            drawn from a fixed seed when absent.
    """
    start = {3: start_level_3, 2: _start_level_2, 1: _start_level_1}.get(level)
    if start is None:
        return
    weight = net.level_1.up.weight
    pictures = smooth_pictures(4 if net.depth_input else 3) if inputs is None else inputs
    pictures = pictures.to(device=weight.device, dtype=weight.dtype)
    with torch.autocast(weight.device.type, enabled=False):
        start(net, pictures)
