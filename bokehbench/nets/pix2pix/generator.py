"""pix2pix's generator: the U-Net of Isola et al. 2017, appendix 6.1.1."""

import torch
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.pix2pix.layers import Norm, initialise, norm_layer
from bokehbench.optics.padding import mirror, window

DROPOUT_LEVELS = 3
"""Decoder levels with dropout: the paper's CD512, counted from the inside."""


class Generator(nn.Module):
    """Encoder and decoder of 4 x 4 convolutions of stride 2, with skip connections between equal sizes.

    Channels are 1, 2, 4, 8, 8, ... times ``width``: with 64 and 8 levels the paper's C64-C128-C256 and five C512.
    The outermost encoder layer has no norm, nor has the innermost, which holds a single value per channel of a 256 px
    picture and would be zeroed by it (the paper's correction of 2018).

    Args:
        inputs: input channels.
        width: channels of the first layer.
        levels: halvings; sides are mirrored out to multiples of 2^levels inside.
        norm: ``instance`` or ``batch``.
        dropout: share of values dropped in the three inner decoder levels while training.
    """

    def __init__(
        self, inputs: int, width: int = 64, levels: int = 8, norm: Norm = "instance", dropout: float = 0.5
    ) -> None:
        super().__init__()
        if not 2 <= levels <= 10:
            raise BokehbenchError(f"--model.levels {levels}: give a number from 2 to 10.")
        self.multiple = 2**levels
        channels = [width * min(2**level, 8) for level in range(levels)]
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for level, outputs in enumerate(channels):
            outer, inner = level == 0, level == levels - 1
            before = inputs if outer else channels[level - 1]
            down: list[nn.Module] = [] if outer else [nn.LeakyReLU(0.2)]
            down.append(nn.Conv2d(before, outputs, 4, 2, 1, bias=outer or inner))
            if not (outer or inner):
                down.append(norm_layer(norm, outputs))
            self.encoder.append(nn.Sequential(*down))
        for level in reversed(range(levels)):
            inner = level == levels - 1
            outputs = channels[level - 1] if level else 3
            # Not in place: a skip connection still needs what it reads
            up: list[nn.Module] = [nn.ReLU()]
            up.append(nn.ConvTranspose2d(channels[level] * (1 if inner else 2), outputs, 4, 2, 1, bias=level == 0))
            if level:
                up.append(norm_layer(norm, outputs))
            if level and levels - 1 - level < DROPOUT_LEVELS:
                up.append(nn.Dropout(dropout))
            self.decoder.append(nn.Sequential(*up))
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """B C H W with values around [-1, 1], any H and W, to a picture B 3 H W in [-1, 1] (tanh)."""
        height, width = x.shape[-2:]
        padded, (top, left) = pad(x, self.multiple)
        features: list[Tensor] = []
        for down in self.encoder:
            padded = down(padded)
            features.append(padded)
        y = features.pop()
        for number, up in enumerate(self.decoder):
            y = up(y if number == 0 else torch.cat((y, features.pop()), 1))
        return window(torch.tanh(y), top, left, height, width)


def pad(x: Tensor, multiple: int) -> tuple[Tensor, tuple[int, int]]:
    """Mirror B C H W out to multiples of ``multiple``, half on each side; also (top, left) of the picture in it."""
    height, width = ((side + multiple - 1) // multiple * multiple for side in x.shape[-2:])
    if not torch.compiler.is_exporting() and (height, width) == tuple(x.shape[-2:]):
        return x, (0, 0)
    top, left = (height - x.shape[-2]) // 2, (width - x.shape[-1]) // 2
    return mirror(x, top, left, height, width), (top, left)
