"""pix2pix's discriminator: the 70 x 70 PatchGAN of Isola et al. 2017, appendix 6.1.2."""

import torch
from torch import Tensor, nn

from bokehbench.nets.pix2pix.layers import Norm, initialise, norm_layer

SMALLEST = 32
"""Shortest side, in pixels, that leaves the last layers something to look at."""


class Discriminator(nn.Module):
    """C64-C128-C256-C512 and one output: each value judges a patch of 70 x 70 pixels of input and picture together.

    Args:
        inputs: channels of the generator's input, on which the judgement is conditioned.
        width: channels of the first layer; the paper has 64.
        norm: ``instance`` or ``batch``.
    """

    def __init__(self, inputs: int, width: int = 64, norm: Norm = "instance") -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs + 3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, outputs, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            layers += [
                nn.Conv2d(before * width, outputs * width, 4, stride, 1, bias=False),
                norm_layer(norm, outputs * width),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))
        initialise(self)

    def forward(self, x: Tensor, picture: Tensor) -> Tensor:
        """Logits B 1 h w, positive = real, h = H / 8 - 2.

        Args:
            x: the generator's input B C H W, sides of at least :data:`SMALLEST`.
            picture: B 3 H W in [-1, 1], a target or the generator's output.
        """
        logits: Tensor = self.layers(torch.cat((x, picture), 1))
        return logits
