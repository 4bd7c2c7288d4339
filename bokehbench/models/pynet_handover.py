"""Starts of PyNET's levels 3 to 1 from what is trained already, within the official topology.

**Level 3 begins as the photo.** The instance norms of levels 7 to 4 take a picture's colours out, so level 3 is the
first that can give them, and with random weights it learns them last: luminance, then orange against blue, then green
against magenta, each after a plateau of hundreds of steps. What bokeh leaves alone, most of the picture, is known
beforehand. The encoder's first block carries the mean colours from the start (:func:`open_encoder`), and level 3's last
block sees that block's features again (the skip). Three of its channels start as the least-squares fit, 3x3 pixels of
the skip, to the photo before tanh, shifted until black is zero; the head takes them over and the shift back. All other
channels keep their first weights and enter the head with weight zero.

**Levels 2 and 1 begin where the coarser level ended.** A fresh official head at level 2 or 1 gives flat grey (output
deviation 1.7e-5 at level 1); while it learns a picture through a few hundred weights, Adam's full-size steps spoil the
trained trunk. Here both heads start from the bilinearly upsampled coarser output instead (before tanh):

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

import math
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.nets.pynet import PyNETNet
from bokehbench.nets.pynet.blocks import SLOPE, space_to_depth
from bokehbench.nets.pynet.initialisation import COLOURS, pass_colours_on, smallest_branch

BLACK = math.atanh(0.5 / 0.58)
"""-z of a black pixel: 0.58 tanh(-BLACK) + 0.5 = 0. Darker values are clipped in every test anyway."""
RIDGE = 1e-6
WINDOW = 64
"""Level 2 is fitted on the middle of each picture, up to this many pixels of level 3 a side: plenty for 288 weights."""


def smooth_pictures(channels: int, count: int = 4, size: int = 128, seed: int = 0) -> Tensor:
    """Random pictures with detail at every scale, count channels size size in [0, 1]; a fixed seed, any machine."""
    generator = torch.Generator().manual_seed(seed)
    picture = torch.zeros(count, channels, size, size)
    for cells in (2**octave for octave in range(1, size.bit_length())):
        noise = torch.rand(count, channels, cells, cells, generator=generator) - 0.5
        # Half the amplitude at twice the frequency: the spectrum of photographs.
        picture += F.interpolate(noise, size=(size, size), mode="bilinear") * (2 / cells)
    low, high = picture.amin((2, 3), keepdim=True), picture.amax((2, 3), keepdim=True)
    return (picture - low) / (high - low)


def to_rows(x: Tensor) -> Tensor:
    """Pictures to rows: C H W -> HW C, in double on the CPU (some accelerators have no double)."""
    return x.flatten(1).T.cpu().double()


def least_squares(rows: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """argmin_w sum |A w - y|^2 over the pairs (A, y), with a ridge of 1e-6 of the mean diagonal."""
    gram: Tensor | float = 0.0
    right: Tensor | float = 0.0
    for a, y in rows:
        gram, right = gram + a.T @ a, right + a.T @ y
    assert isinstance(gram, Tensor)
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    return torch.linalg.solve(gram, right)


def _level_3_rows(net: PyNETNet, inputs: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Per picture: 3x3 windows of the skip and a one, and the photo at level 3's size, before tanh, black at zero."""
    for picture in inputs.split(1):
        windows = F.unfold(net.encoder.level_3(space_to_depth(picture)), 3, padding=1)[0]
        photo = F.avg_pool2d(picture[:, :COLOURS], 2)[0].clamp(0, 1)
        yield (
            to_rows(torch.cat([windows, torch.ones_like(windows[:1])])),
            to_rows(torch.atanh((photo - 0.5) / 0.58) + BLACK),
        )


def _start_level_3(net: PyNETNet, inputs: Tensor) -> None:
    branch, head = smallest_branch(net.level_3.z8), net.level_3.head
    first = branch.conv_1
    assert first.bias is not None
    solution = least_squares(_level_3_rows(net, inputs)).to(head.weight)
    first.weight[:COLOURS] = 0
    first.weight[:COLOURS, -net.width :] = solution[:-1].T.reshape(COLOURS, net.width, 3, 3)
    first.bias[:COLOURS] = solution[-1]
    pass_colours_on(branch.conv_2)
    pass_colours_on(head)
    head.bias.fill_(-BLACK)


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
    """Give the fresh parts of level 3, 2 or 1 their start; other levels, and networks of ``official`` start, stay.

    Call it once per level, before its optimiser is built: level 1's start moves a bias of level 2.

    Args:
        net: trained down to ``level + 1``; changed in place.
        level: the level about to be trained.
        inputs: B (3|4) H W, a few training inputs (4 are enough, one at a time is in memory); random smooth pictures
            drawn from a fixed seed when absent. All processes of a distributed run need the same ones.
    """
    start = {3: _start_level_3, 2: _start_level_2, 1: _start_level_1}.get(level)
    if start is None or net.head_init == "official":
        return
    weight = net.level_1.up.weight
    pictures = smooth_pictures(4 if net.depth_input else 3) if inputs is None else inputs
    pictures = pictures.to(device=weight.device, dtype=weight.dtype)
    with torch.autocast(weight.device.type, enabled=False):
        start(net, pictures)
