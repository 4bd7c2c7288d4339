"""The body of DeepLens' depth network: timm's ResNet-50 up to res4f, dilated."""

from __future__ import annotations

from timm.layers import create_pool2d
from torch import nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.backbone import timm_body
from bokehbench.nets.numerics import Numerics

#: ImageNet weights in torchvision's first recipe, the nearest public ones to the 2018 paper's.
PRETRAINED = "resnet50.tv_in1k"


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
    body: nn.ModuleDict = timm_body(name, pretrained, out_indices=(0, 1, 3), output_stride=8)
    _bias_conv1(body)
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = numerics.momentum
    if numerics.official:
        body["maxpool"] = create_pool2d("max", 3, 2, padding="same")
        conv = dict(body.named_modules())
        conv["layer2.0.conv1"].stride, conv["layer2.0.conv2"].stride = (2, 2), (1, 1)
        conv["layer3.0.conv2"].dilation = conv["layer3.0.conv2"].padding = (2, 2)
    return body


def _bias_conv1(body: nn.ModuleDict) -> None:
    """Give conv1 its bias, zero, so that loaded weights mean the same."""
    plain = body["conv1"]
    assert isinstance(plain, nn.Conv2d)
    conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=True)
    conv.weight = plain.weight
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    body["conv1"] = conv
