"""Start of a fresh level 3 as the photo itself, within the official topology.

The instance norms of levels 7 to 4 take a picture's colours out, so level 3 is the first that can give them, and with
random weights it learns them last: luminance, then orange against blue, then green against magenta, each after a
plateau of hundreds of steps. What bokeh leaves alone, most of the picture, is known beforehand. Here three channels
carry it from the network's input to level 3's output, with nothing added to the network:

* Encoder: three channels of the first block start as the mean colour of each 2x2 cell. Colours are not negative, so
  LeakyReLU leaves them alone. They are trained with the rest at levels 7 to 4.
* Level 3: its last block sees that first block's features again (the skip). Three of its channels start as the
  least-squares fit, 3x3 pixels of the skip, to the photo before tanh, shifted until black is zero; the head takes them
  over and the shift back. All other channels keep their first weights and enter the head with weight zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.pynet.blocks import Branch, MultiKernelBlock, space_to_depth
from bokehbench.nets.pynet.least_squares import BLACK, least_squares, to_rows

if TYPE_CHECKING:
    from bokehbench.nets.pynet.pynet_net import PyNETNet

COLOURS = 3


def _branch(block: MultiKernelBlock) -> Branch:
    """The one branch of a block whose largest kernel is 3x3."""
    branch = block.get_submodule("kernel_3")
    assert isinstance(branch, Branch)
    return branch


@torch.no_grad()
def _pass_on(convolution: nn.Conv2d) -> None:
    """The first three channels go through unchanged."""
    assert convolution.bias is not None
    convolution.weight[:COLOURS] = 0
    convolution.bias[:COLOURS] = 0
    for colour in range(COLOURS):
        convolution.weight[colour, colour, 1, 1] = 1


@torch.no_grad()
def open_encoder(block: MultiKernelBlock) -> None:
    """Let three channels of the encoder's first block start as the mean of each cell of :func:`space_to_depth`."""
    branch = _branch(block)
    first = branch.conv_1
    assert first.bias is not None
    channels = first.in_channels // 4
    first.weight[:COLOURS] = 0
    first.bias[:COLOURS] = 0
    for colour in range(COLOURS):
        first.weight[colour, colour::channels, 1, 1] = 1 / 4
    _pass_on(branch.conv_2)


def _rows(net: PyNETNet, inputs: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Per picture: 3x3 windows of the skip and a one, and the photo at level 3's size, before tanh, black at zero."""
    for picture in inputs.split(1):
        windows = F.unfold(net.encoder.level_3(space_to_depth(picture)), 3, padding=1)[0]
        photo = F.avg_pool2d(picture[:, :COLOURS], 2)[0].clamp(0, 1)
        yield (
            to_rows(torch.cat([windows, torch.ones_like(windows[:1])])),
            to_rows(torch.atanh((photo - 0.5) / 0.58) + BLACK),
        )


@torch.no_grad()
def start_level_3(net: PyNETNet, inputs: Tensor) -> None:
    """Let level 3 begin as the photo at its size; changes its last block's first three channels and its head.

    Args:
        net: trained down to level 4.
        inputs: B (3|4) H W, a few training inputs to fit on.
    """
    branch, head = _branch(net.level_3.z8), net.level_3.head
    first = branch.conv_1
    assert first.bias is not None
    solution = least_squares(_rows(net, inputs)).to(head.weight)
    first.weight[:COLOURS] = 0
    first.weight[:COLOURS, -net.width :] = solution[:-1].T.reshape(COLOURS, net.width, 3, 3)
    first.bias[:COLOURS] = solution[-1]
    _pass_on(branch.conv_2)
    _pass_on(head)
    head.bias.fill_(-BLACK)
