"""What pix2pix's two networks share: 4 x 4 convolutions of stride 2, norms, and their first weights."""

from typing import Literal

from torch import nn

Norm = Literal["instance", "batch"]

DEVIATION = 0.02
"""Of the first weights (Isola et al. 2017, appendix 6.2: Gaussian, mean 0)."""


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """The paper's batch norm; ``instance`` is what that is with one picture in a batch, and so what it is at test."""
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.InstanceNorm2d(channels, affine=True)


def initialise(net: nn.Module) -> None:
    """Normal kernels of deviation 0.02, zero biases; scales of norms around 1 with the same deviation."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, DEVIATION)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d):
            nn.init.normal_(layer.weight, 1.0, DEVIATION)
            nn.init.zeros_(layer.bias)
