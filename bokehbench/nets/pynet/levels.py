"""The encoder and the seven levels of PyNET for bokeh; module names are the steps of the architecture tables.

Every level maps (encoder features of its size, features of the next coarser level) to its own features, whose ``head``
gives RGB before tanh. ``w`` is the width of that level's branches: 32 at level 3 and twice that at each coarser one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.pynet.blocks import Head, MultiKernelBlock, Upsample, UpsamplePair

TOP_CHANNELS = 8


def _cat(*parts: Tensor) -> Tensor:
    return torch.cat(parts, 1)


class Encoder(nn.Module):
    """Shared features: B C H W after space-to-depth -> {3: w, 4: 2w, 5: 4w, 6: 8w channels, 7: level 6's, pooled}.

    Each size is half the one before. Instance norm from level 4 on.
    """

    def __init__(self, inputs: int, w: int) -> None:
        super().__init__()
        self.level_3 = MultiKernelBlock(inputs, w, 3, norm=False)
        self.level_4 = MultiKernelBlock(w, 2 * w, 3)
        self.level_5 = MultiKernelBlock(2 * w, 4 * w, 3)
        self.level_6 = MultiKernelBlock(4 * w, 8 * w, 3)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        features = {3: self.level_3(x)}
        for level, block in ((4, self.level_4), (5, self.level_5), (6, self.level_6)):
            features[level] = block(F.max_pool2d(features[level - 1], 2))
        features[7] = F.max_pool2d(features[6], 2)
        return features


class Level7(nn.Module):
    """The coarsest level, 1/32 of the input: w/2 -> w channels (w = 512 in the paper)."""

    def __init__(self, w: int) -> None:
        super().__init__()
        self.a = MultiKernelBlock(w // 2, w, 3)
        self.b, self.c, self.d = (MultiKernelBlock(w, w, 3) for _ in range(3))
        self.head = Head(w)

    def forward(self, pooled: Tensor) -> Tensor:
        a = self.a(pooled)
        b = self.b(a) + a
        return self.d(self.c(b) + b)


class Level6(nn.Module):
    """1/16 of the input: 3x3 blocks, w channels (256)."""

    def __init__(self, w: int) -> None:
        super().__init__()
        self.up = UpsamplePair(2 * w, w)
        self.a = MultiKernelBlock(2 * w, w, 3)
        self.b, self.c, self.d = (MultiKernelBlock(w, w, 3) for _ in range(3))
        self.e = MultiKernelBlock(2 * w, w, 3)
        self.head = Head(w)

    def forward(self, skip: Tensor, coarser: Tensor) -> Tensor:
        u, v = self.up(coarser)
        a = self.a(_cat(skip, u))
        b = self.b(a) + a
        return self.e(_cat(self.d(self.c(b) + b), v))


class Level5(nn.Module):
    """1/8 of the input: kernels up to 5, w channels out (128)."""

    def __init__(self, w: int) -> None:
        super().__init__()
        self.up = UpsamplePair(2 * w, w)
        self.x1, self.x2, self.x3, self.x4 = (MultiKernelBlock(2 * w, w, 5) for _ in range(4))
        self.x5 = MultiKernelBlock(4 * w, w, 3)
        self.head = Head(w)

    def forward(self, skip: Tensor, coarser: Tensor) -> Tensor:
        u, v = self.up(coarser)
        x = _cat(skip, u)
        for block in (self.x1, self.x2, self.x3):
            x = block(x) + x
        return self.x5(_cat(self.x4(x), skip, v))


class Level4(nn.Module):
    """1/4 of the input: kernels up to 7, w channels out (64)."""

    def __init__(self, w: int) -> None:
        super().__init__()
        self.up = UpsamplePair(2 * w, w)
        self.y0 = MultiKernelBlock(2 * w, w, 5)
        self.y1, self.y2, self.y3, self.y4 = (MultiKernelBlock(3 * w, w, 7) for _ in range(4))
        self.y5 = MultiKernelBlock(4 * w, w, 5)
        self.y6 = MultiKernelBlock(3 * w, w, 3)
        self.head = Head(w)

    def forward(self, skip: Tensor, coarser: Tensor) -> Tensor:
        u, v = self.up(coarser)
        y = _cat(self.y0(_cat(skip, u)), skip)
        for block in (self.y1, self.y2, self.y3):
            y = block(y) + y
        return self.y6(_cat(self.y5(_cat(self.y4(y), skip)), v))


class Level3(nn.Module):
    """1/2 of the input: kernels up to 9, no instance norm, w channels out (32). The last level of real work."""

    def __init__(self, w: int) -> None:
        super().__init__()
        self.up = UpsamplePair(2 * w, w)
        self.z0 = MultiKernelBlock(2 * w, w, 5, norm=False)
        self.z1 = MultiKernelBlock(3 * w, w, 7, norm=False)
        self.z2 = MultiKernelBlock(3 * w, w, 9, norm=False)
        self.z3, self.z4, self.z5 = (MultiKernelBlock(4 * w, w, 9, norm=False) for _ in range(3))
        self.z6 = MultiKernelBlock(4 * w, w, 7, norm=False)
        self.z7 = MultiKernelBlock(4 * w, w, 5, norm=False)
        self.z8 = MultiKernelBlock(4 * w, w, 3, norm=False)
        self.head = Head(w)

    def forward(self, skip: Tensor, coarser: Tensor) -> Tensor:
        # Channels-last spares the convolutions their reordering: 1.05 to 1.1x for this level, which has most of the
        # work. The coarser levels stay as they are: group_norm loses accuracy and speed in that layout.
        skip, u, v = (x.contiguous(memory_format=torch.channels_last) for x in (skip, *self.up(coarser)))
        z = self.z2(self.z1(_cat(self.z0(_cat(skip, u)), skip)))
        for block in (self.z3, self.z4, self.z5):
            z = block(z) + z
        z = self.z7(_cat(self.z6(z), skip))
        return self.z8(_cat(z, v, skip))


class UpsamplingHead(nn.Module):
    """Levels 2 and 1: one x2 upsampling and a head, no instance norm.

    Level 2: w -> 8 -> 3 channels at the input's size (steps p and q). Level 1: 3 -> 3 -> 3 channels at twice that; it
    starts from level 2's map **before** tanh, and its LeakyReLU acts on signed RGB (steps r and out1).
    """

    def __init__(self, inputs: int, between: int) -> None:
        super().__init__()
        self.up = Upsample(inputs, between)
        self.head = Head(between)

    def forward(self, coarser: Tensor) -> Tensor:
        """B in H W -> B 3 2H 2W, RGB before tanh."""
        logits: Tensor = self.head(self.up(coarser))
        return logits
