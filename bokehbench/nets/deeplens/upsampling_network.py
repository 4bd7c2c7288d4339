"""DeepLens' guided upsampling: the blurred image at twice the size, shared by all steps (spec 3.4, 4.4, 4.5)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.blocks import ConvBN, glorot_
from bokehbench.nets.deeplens.feature_network import HALO, FeatureNetwork
from bokehbench.nets.deeplens.mixing import mix
from bokehbench.nets.numerics import Numerics
from bokehbench.optics.strips import in_strips, wants_strips

#: Rows beyond its own that one row of the coarse branch sees at low and half the low resolution.
COARSE_HALO = 2


class CoarseBranch(nn.Module):
    """U-shaped network at low resolution with additive skips: B 7 H W -> B 32 H W."""

    def __init__(self, numerics: Numerics) -> None:
        super().__init__()
        self.numerics = numerics
        self.lr1 = ConvBN(7, 32, 3, numerics)
        self.lr2 = ConvBN(32, 64, 3, numerics, stride=2)
        self.lr3 = ConvBN(64, 128, 3, numerics, stride=2)
        self.lr4_1 = ConvBN(128, 256, 3, numerics, stride=2)
        self.lr4_2 = ConvBN(256, 256, 3, numerics)
        self.lr5 = ConvBN(256, 128, 3, numerics)
        self.lr6 = ConvBN(128, 64, 3, numerics)
        self.lr7 = ConvBN(64, 32, 3, numerics)
        self.lr8 = ConvBN(32, 32, 3, numerics)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` is concat [image, result, signed disparity] of the low level."""
        size = x.shape[-2:]
        if not wants_strips(self):
            one = self.lr1(x)
            return self.lr8(self.numerics.resize(self.deep(self.lr2(one)), size) + one)
        deep = self.deep(in_strips(lambda *at: self.halved(x, *at), [-(-side // 2) for side in size], COARSE_HALO))
        return in_strips(lambda *at: self.joined(x, deep, *at), size, COARSE_HALO)

    def halved(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Rows of what the first two layers make."""
        height = x.shape[-2]
        # As odd or even as all the rows, since official padding is
        rows = x[..., 2 * start : min(2 * stop - height % 2, height), :]
        return self.lr2(self.lr1(rows))

    def deep(self, two: Tensor) -> Tensor:
        """What is computed at half the size and below."""
        three = self.lr3(two)
        x = self.lr5(self.lr4_2(self.lr4_1(three)))
        for layer, skip in ((self.lr6, three), (self.lr7, two)):
            x = layer(self.numerics.resize(x, skip.shape[-2:]) + skip)
        return x

    def joined(self, x: Tensor, deep: Tensor, start: int, stop: int) -> Tensor:
        """Rows of the result."""
        enlarged = self.numerics.resize_rows(deep, x.shape[-2:], start, stop)
        return self.lr8(enlarged.add_(self.lr1(x[..., start:stop, :])))


class UpsamplingNetwork(nn.Module):
    """L, A and signed disparity at one level, A at the next -> the result at the next level.

    Weights from [A, coarse features] mix, as in Eq. 2, the resized result, A and 30 learned features per colour.
    ``two_map`` leaves only the first two, which is the paper's Eq. 3: H = A * M_A + Lup * M_L.
    Without gradients in eval mode the high resolution is worked through in strips of rows: the same result with a
    tenth of the memory.
    """

    def __init__(self, channels: int, numerics: Numerics, output_bias: float, *, two_map: bool = False) -> None:
        super().__init__()
        self.numerics = numerics
        self.coarse = CoarseBranch(numerics)
        self.lr9 = ConvBN(32, 32, 3, numerics)
        self.pre = nn.Sequential(ConvBN(35, 32, 3, numerics), *(ConvBN(32, 32, 3, numerics) for _ in range(3)))
        self.output = nn.Conv2d(32, 2 if two_map else channels, 3, padding=1)
        self.features = None if two_map else FeatureNetwork(channels, images=2)
        glorot_(self)
        nn.init.constant_(self.output.bias, output_bias)  # type: ignore[arg-type]

    def forward(self, image_low: Tensor, result_low: Tensor, signed_low: Tensor, image_high: Tensor) -> Tensor:
        """B 3 h w, B 3 h w, B 1 h w, B 3 H W -> B 3 H W; channel order as given, all images in [0, 1]."""
        coarse = self.coarse(torch.cat((image_low, result_low, signed_low), 1))
        result = self.numerics.upsampling_input(result_low)
        size = image_high.shape[-2:]
        if not wants_strips(self):
            return mix(*self.fine(coarse, result, image_high, 0, size[0]))
        return in_strips(lambda start, stop: mix(*self.fine(coarse, result, image_high, start, stop)), size, HALO)

    def fine(self, coarse: Tensor, result: Tensor, image: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Features B 3C n W and weights B C n W of rows start .. stop - 1 of ``image``."""
        size, image = image.shape[-2:], image[..., start:stop, :]
        guide = torch.cat((image, self.lr9(self.numerics.resize_rows(coarse, size, start, stop))), 1)
        weights = F.relu_(self.output(self.pre(guide)))
        result = self.numerics.resize_rows(result, size, start, stop) / self.numerics.upsampling_scale
        images = torch.cat((result, image), 1)
        return (images if self.features is None else self.features(images)), weights
