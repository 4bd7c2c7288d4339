"""PyNET for a file: any size is mirrored out as in rendering, whether it needs that or not."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.pynet.pictures import MULTIPLE, crop, network_input
from bokehbench.nets.pynet.pynet_net import PyNETNet
from bokehbench.optics.padding import mirror


class FixedPyNET(nn.Module):
    """:class:`.PyNETNet` with its padding; sizes may be symbols.

    Args:
        net: the network.
        level: whose output is rendered, 1 = the finest.
        margin: mirrored pixels at half size, see :func:`bokehbench.nets.pynet.pictures.pad`.
    """

    def __init__(self, net: PyNETNet, level: int, margin: int) -> None:
        super().__init__()
        self.net, self.level, self.margin = net, level, margin

    def blur(self, image: Tensor, disparity: Tensor | None, focus: None, aperture: None) -> Tensor:
        """1 3 H W of one picture."""
        height, width = image.shape[-2:]
        x = network_input(_even(image), None if disparity is None else _even(disparity))
        sizes = [torch.sym_max(2, (side + 2 * self.margin + MULTIPLE - 1) // MULTIPLE) * MULTIPLE for side in x.shape[-2:]]
        top, left = ((total - side) // 4 * 2 for total, side in zip(sizes, x.shape[-2:], strict=True))
        output = self.net(mirror(x, top, left, *sizes), self.level)
        if self.level > 1:
            output = F.interpolate(output, [2 * side for side in sizes], mode="bilinear", align_corners=False)
        return crop(output, (top, left), (x.shape[-2], x.shape[-1]))[..., :height, :width]


def _even(picture: Tensor) -> Tensor:
    """:func:`bokehbench.nets.pynet.pictures.even` without a question to the size."""
    for axis in (-2, -1):
        side = picture.shape[axis]
        picture = picture.index_select(axis, torch.arange((side + 1) // 2 * 2).clamp(max=side - 1))
    return picture
