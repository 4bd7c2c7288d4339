"""DeepLens' rendering for a file: a number of halvings that was chosen beforehand, and no depth network."""

from copy import copy
from typing import Any

import torch
from torch import Tensor, nn

from bokehbench.nets.deeplens.deep_lens_net import DeepLensNet
from bokehbench.optics import signed_defocus


class FixedDeepLens(nn.Module):
    """Lens blur at the coarsest level, then ``halvings`` steps of upsampling; sizes may be symbols.

    Args:
        net: with modern numerics.
        halvings: how often the photo is halved.
        max_radius: largest trained blur radius, in pixels of the coarsest level.
    """

    def __init__(self, net: DeepLensNet, halvings: int, max_radius: float) -> None:
        super().__init__()
        self.net, self.halvings, self.max_radius = copy(net), halvings, max_radius
        self.net._modules = {name: part for name, part in net._modules.items() if name != "depth"}

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """As :meth:`bokehbench.models.renders.Renders.blur`, of one picture whose map is given."""
        pyramid = [image]
        for _ in range(self.halvings):
            pyramid.insert(0, area(pyramid[0], pyramid[0].shape[-2] // 2, pyramid[0].shape[-1] // 2))
        coarsest = pyramid[0]
        height, width = coarsest.shape[-2:]
        shrunk = torch.sym_max(*image.shape[-2:]) / torch.sym_max(height, width)
        here = (aperture / shrunk / self.max_radius).clamp(0.0, 1.0)
        signed = signed_defocus(area(disparity, height, width), focus, here)
        return self.net([*pyramid], signed)[-1]


def area(picture: Tensor, height: Any, width: Any) -> Tensor:
    """:func:`bokehbench.nets.deeplens.area_resize` as two matrix products."""
    down, across = (_shares(*each) for each in ((picture.shape[-2], height), (picture.shape[-1], width)))
    return down.to(picture.dtype) @ picture @ across.to(picture.dtype).mT


def _shares(pixels: Any, length: Any) -> Tensor:
    """What share of each of ``length`` footprints every one of ``pixels`` pixels has: length x pixels, rows sum to 1."""
    edge = torch.arange(length + 1).double() * pixels / length
    at = torch.arange(pixels).double()
    overlap = torch.minimum(edge[1:, None], at + 1) - torch.maximum(edge[:-1, None], at)
    return overlap.clamp(min=0.0) * length / pixels
