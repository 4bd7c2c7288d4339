"""D2F part A, defocus hallucination: one RGB picture in, an unsigned defocus map out (MiDaS-v2 layout)."""

from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.backbone import timm_body, timm_zoo

HeadActivation = Literal["none", "clamp", "sigmoid"]

#: timm's untagged default holds the weights of another training recipe; the authors start from torchvision's.
BACKBONE = "resnext50_32x4d.tv_in1k"


def imagenet_backbone(pretrained: bool, name: str = BACKBONE) -> tuple[nn.Module, list[int]]:
    """A timm network without classifier, giving its stages of stride 4, 8, 16 and 32, and their channels.

    Those of ResNeXt-50 32x4d, the released model's, have 256, 512, 1024 and 2048 channels.

    Raises :class:`BokehbenchError` where timm has no such network, or not of four such stages, or where the ImageNet
    weights can be neither found nor downloaded.
    """
    if not timm_zoo().is_model(name):
        raise BokehbenchError(f"--model.backbone {name}: timm has no network of this name; the paper's is {BACKBONE}.")
    backbone = timm_body(name, pretrained, out_indices=(1, 2, 3, 4))
    if backbone.feature_info.reduction() != [4, 8, 16, 32]:
        raise BokehbenchError(f"--model.backbone {name}: it has no stages of stride 4, 8, 16 and 32; use a ResNet.")
    return backbone, backbone.feature_info.channels()


class ResidualUnit(nn.Module):
    """relu(z) + conv2(relu(conv1(relu(z)))), B C h w -> B C h w.

    The skip adds relu(z), not z: the released code's first ReLU works in place, and its weights were trained so.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """B C h w -> B C h w."""
        z = F.relu(z)
        return z + self.conv2(F.relu(self.conv1(z)))


class RefineBlock(nn.Module):
    """``output_unit(path + lateral_unit(lateral))``, then twice the size; without a path: ``output_unit(lateral)``.

    RefineNet-style fusion of one encoder level with the path from the level below (MiDaS-v2's decoder). The deepest
    block has no path and hence no use for a lateral unit; ``lateral_unit=True`` there only makes room for the official
    file's unused weights.
    """

    def __init__(self, channels: int, *, lateral_unit: bool = True) -> None:
        super().__init__()
        self.lateral_unit = ResidualUnit(channels) if lateral_unit else None
        self.output_unit = ResidualUnit(channels)

    def forward(self, lateral: Tensor, path: Tensor | None = None) -> Tensor:
        """Lateral B C h w (and path, the same shape) -> B C 2h 2w."""
        if path is not None and self.lateral_unit is not None:
            lateral = path + self.lateral_unit(lateral)
        # align_corners differs from every other resize in D2F: the released decoder's choice.
        return F.interpolate(self.output_unit(lateral), scale_factor=2, mode="bilinear", align_corners=True)


class DefocusHallucination(nn.Module):
    """B 3 h w RGB in [0, 1] (no mean/std normalisation) -> B 1 h w defocus, 0 = sharp, 1 = most blurred.

    D is an index into the renderer's kernels rather than a radius. h and w are multiples of 32.
    Source: the released inference code; 41,600,513 parameters with ``unused_unit``, 40,420,353 without it.

    Args:
        head_activation: ``"none"`` linear (official), ``"clamp"`` to [0, ``top``], ``"sigmoid"`` times ``top``.
        top: largest defocus that the layers cover, 1 + half an interval (1 + 0.5/14 for 15 kernels).
        backbone_pretrained: start the encoder from ImageNet weights (needs them in the cache, or a connection).
        unused_unit: also hold the residual unit that the official file has in block 4 and never runs.
        freeze_batch_norm: keep the encoder's running statistics while training, for batches of fewer than 4.
        backbone: timm's name of the encoder; the released model's is ``BACKBONE``.
        channels: width of the decoder, 256 as released.
    """

    def __init__(
        self,
        *,
        head_activation: HeadActivation = "clamp",
        top: float = 1 + 0.5 / 14,
        backbone_pretrained: bool = False,
        unused_unit: bool = False,
        freeze_batch_norm: bool = False,
        backbone: str = BACKBONE,
        channels: int = 256,
    ) -> None:
        super().__init__()
        self.head_activation = head_activation
        self.top = top
        self.freeze_batch_norm = freeze_batch_norm
        self.encoder, taps = imagenet_backbone(backbone_pretrained, backbone)
        self.lateral = nn.ModuleList(nn.Conv2d(c, channels, 3, padding=1, bias=False) for c in taps)
        self.refine = nn.ModuleList(RefineBlock(channels, lateral_unit=level < 3 or unused_unit) for level in range(4))
        if unused_unit:
            # It never gets a gradient, which DDP takes for an error unless it is told so.
            self.refine[3].lateral_unit.requires_grad_(False)
        self.head = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(channels // 2, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            last := nn.Conv2d(32, 1, 1),
        )
        assert last.bias is not None
        # A clamp has no gradient outside its range: start in the middle of it.
        nn.init.constant_(last.bias, 0.0 if head_activation == "sigmoid" else 0.5)

    def train(self, mode: bool = True) -> Self:
        """As usual, except that a frozen encoder's batch normalisation stays in eval mode."""
        super().train(mode)
        if self.freeze_batch_norm:
            for module in self.encoder.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def linear(self, image: Tensor) -> Tensor:
        """The head's linear output, B 1 h w, unbounded: what a penalty on leaving the range needs."""
        height, width = image.shape[-2:]
        if height % 32 or width % 32:
            raise ValueError(f"defocus hallucination needs sides that are multiples of 32, got {height} x {width}")
        laterals = [conv(tap) for conv, tap in zip(self.lateral, self.encoder(image), strict=True)]
        path = self.refine[3](laterals[3])
        for level in (2, 1, 0):
            path = self.refine[level](laterals[level], path)
        return self.head(path)

    def activate(self, linear: Tensor) -> Tensor:
        """``head_activation`` applied to :meth:`linear`'s output, same shape."""
        if self.head_activation == "clamp":
            return linear.clamp(0, self.top)
        if self.head_activation == "sigmoid":
            return torch.sigmoid(linear) * self.top
        return linear

    def forward(self, image: Tensor) -> Tensor:
        """B 3 h w in [0, 1] -> B 1 h w defocus."""
        return self.activate(self.linear(image))
