"""DeepLens' depth network: disparity and, while training, saliency from one image (spec 3.1)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.backbone import timm_body
from bokehbench.nets.blocks import ConvBN, glorot_
from bokehbench.nets.numerics import Numerics, Size

SLOPE = 0.2
#: ImageNet weights in torchvision's first recipe, the nearest public ones to the 2018 paper's.
PRETRAINED = "resnet50.tv_in1k"


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
        levels = (layer(F.adaptive_avg_pool2d(x, n)) for n, layer in zip(self.BINS, self.bins, strict=True))
        return torch.cat((x, *(self.numerics.resize(level, x.shape[-2:]) for level in levels)), 1)


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

    def forward(self, pooled: Tensor, layer1: Tensor, conv1: Tensor, size: Size) -> Tensor:
        """``size`` is the input image's; every resize goes to the exact size of what it meets."""
        x = self._join(self.spp2(pooled), self.skip1(layer1))
        x = self._join(self.dec1(x), self.skip2(conv1))
        return self.numerics.resize(self.dec2(x), size)

    def _join(self, x: Tensor, skip: Tensor) -> Tensor:
        return torch.cat((self.numerics.resize(x, skip.shape[-2:]), skip), 1)


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


def residual_body(numerics: Numerics, *, pretrained: bool = False) -> nn.ModuleDict:
    """B 3 H W -> list of [conv1 after ReLU B 64 H/2 W/2, layer1 B 256 H/4 W/4, layer3 B 1024 H/8 W/8].

    Modern keeps torchvision's layout as timm has it: stride on the 3x3, and the first 3x3 of layer3 undilated, which is
    what makes ImageNet weights exact after its stride is taken out. Official is Caffe's: stride on the first 1x1,
    dilation 2 in all six 3x3 of layer3, TensorFlow's padding around the pool (spec 3.1, trap 5).
    Both have the bias on conv1 that the released graph has.

    Raises BokehbenchError where ``pretrained`` weights cannot be had or do not fit the layout.
    """
    if pretrained and numerics.official:
        raise BokehbenchError(
            "ImageNet weights from timm do not fit the strides of the official layout: "
            "set --model.backbone_pretrained false or --model.numerics modern."
        )
    name = PRETRAINED if pretrained else "resnet50"
    body = timm_body(name, pretrained, out_indices=(0, 1, 3), output_stride=8)
    plain, body["conv1"] = body["conv1"], nn.Conv2d(3, 64, 7, stride=2, padding=3)
    body["conv1"].weight = plain.weight
    nn.init.zeros_(body["conv1"].bias)  # so that loaded weights mean the same
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = numerics.momentum
    if numerics.official:
        from timm.layers import create_pool2d

        body["maxpool"] = create_pool2d("max", 3, 2, padding="same")
        conv = dict(body.named_modules())
        conv["layer2.0.conv1"].stride, conv["layer2.0.conv2"].stride = (2, 2), (1, 1)
        conv["layer3.0.conv2"].dilation = conv["layer3.0.conv2"].padding = (2, 2)
    return body


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
        conv1, layer1, layer3 = self.body(self.numerics.depth_input(self.numerics.order(image)))
        return self.decoder(self.pyramid(layer3), layer1, conv1, image.shape[-2:])
