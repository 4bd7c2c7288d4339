"""DeepLens' depth network: disparity and, while training, saliency from one image (spec 3.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.blocks import ConvBN, glorot_
from bokehbench.nets.deeplens.residual_body import residual_body
from bokehbench.nets.numerics import Numerics

SLOPE = 0.2


class PyramidPooling(nn.Module):
    """1x1 convolution to 256, and its averages over 1x1, 2x2, 4x4 and 8x8 bins: B 1024 h w -> B 384 h w.

    The bins adapt to the size; on the official 40x40 they are the released graph's fixed windows of 40, 20, 10, 5.
    """

    BINS = (1, 2, 4, 8)

    def __init__(self, numerics: Numerics) -> None:
        super().__init__()
        self.numerics = numerics
        self.spp1 = ConvBN(1024, 256, 1, numerics, slope=SLOPE)
        self.bins = nn.ModuleList(ConvBN(256, 32, 1, numerics, slope=SLOPE) for _ in self.BINS)

    def forward(self, x: Tensor) -> Tensor:
        """Concatenation of the convolution and the four levels, coarsest first."""
        x = self.spp1(x)
        height, width = x.shape[-2:]
        levels = (layer(F.adaptive_avg_pool2d(x, n)) for n, layer in zip(self.BINS, self.bins, strict=True))
        return torch.cat((x, *(self.numerics.resize(level, (height, width)) for level in levels)), 1)


class Decoder(nn.Module):
    """Three steps of two times the size, with skips from layer1 and conv1: -> B 64 H W."""

    def __init__(self, numerics: Numerics) -> None:
        super().__init__()
        self.numerics = numerics
        self.spp2 = ConvBN(384, 64, 3, numerics, slope=SLOPE)
        self.skip1 = ConvBN(256, 64, 3, numerics, slope=SLOPE)
        self.dec1 = ConvBN(128, 64, 3, numerics, slope=SLOPE)
        self.skip2 = ConvBN(64, 64, 3, numerics, slope=SLOPE)
        self.dec2 = ConvBN(128, 64, 3, numerics, slope=SLOPE)

    def forward(self, pooled: Tensor, layer1: Tensor, conv1: Tensor, size: tuple[int, int]) -> Tensor:
        """``size`` is the input image's; every resize goes to the exact size of what it meets."""
        x = self._join(self.spp2(pooled), self.skip1(layer1))
        x = self._join(self.dec1(x), self.skip2(conv1))
        return self.numerics.resize(self.dec2(x), size)

    def _join(self, x: Tensor, skip: Tensor) -> Tensor:
        height, width = skip.shape[-2:]
        return torch.cat((self.numerics.resize(x, (height, width)), skip), 1)


class Head(nn.Module):
    """Three convolutions, the second residual: B 64 H W -> B 1 H W, linear."""

    def __init__(self, numerics: Numerics) -> None:
        super().__init__()
        self.conv1 = ConvBN(64, 64, 3, numerics, slope=SLOPE)
        self.conv2 = ConvBN(64, 64, 3, numerics, slope=None)
        self.dropout = nn.Dropout(0.05)
        self.pre = nn.Conv2d(64, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The output has no activation: disparity is normalised per image, the mask is a logit."""
        x = self.conv1(x)
        return self.pre(self.dropout(F.leaky_relu_(self.conv2(x) + x, SLOPE)))


class DepthNetwork(nn.Module):
    """ResNet-50 to res4f, pyramid pooling, decoder with skips, and one or two heads (paper 3.1).

    ``pretrained`` loads ImageNet weights into the body. ``segmentation_head`` adds the training-only second head, a
    copy of the first (its form is inferred: neither code nor checkpoint has it). Everything but the body starts
    Glorot-uniform.
    """

    def __init__(self, numerics: Numerics, *, pretrained: bool = False, segmentation_head: bool = True) -> None:
        super().__init__()
        self.numerics = numerics
        self.pyramid = PyramidPooling(numerics)
        self.decoder = Decoder(numerics)
        self.head = Head(numerics)
        self.segmentation = Head(numerics) if segmentation_head else None
        glorot_(self)
        self.body = residual_body(numerics, pretrained=pretrained)

    def forward(self, image: Tensor) -> Tensor:
        """RGB image B 3 H W in [0, 1] -> linear disparity B 1 H W, near = large, of no fixed range."""
        return self.head(self.decode(image))

    def forward_with_segmentation(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """RGB image B 3 H W -> linear disparity and saliency logits, B 1 H W each, for Eq. 1."""
        if self.segmentation is None:
            raise RuntimeError("this DepthNetwork was made with segmentation_head=False")
        features = self.decode(image)
        return self.head(features), self.segmentation(features)

    def decode(self, image: Tensor) -> Tensor:
        """RGB image B 3 H W -> features B 64 H W that both heads read."""
        height, width = image.shape[-2:]
        conv1, layer1, layer3 = self.body(self.numerics.depth_input(self.numerics.order(image)))
        return self.decoder(self.pyramid(layer3), layer1, conv1, (height, width))
