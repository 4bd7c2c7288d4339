"""DeepLens' guided upsampling: the blurred image at twice the size, shared by all steps (spec 3.4, 4.4, 4.5)."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.blocks import ConvBN, glorot_
from bokehbench.nets.deeplens.feature_network import HALO, FeatureNetwork
from bokehbench.nets.deeplens.mixing import mix
from bokehbench.nets.numerics import Numerics
from bokehbench.optics.strips import in_strips, wants_strips

#: Rows beyond its own that one row of the coarse branch sees at low, half and a quarter of the low resolution.
COARSE_HALO = 3

#: Gives rows start .. stop - 1 of a picture.
Rows = Callable[[int, int], Tensor]


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
        one = self.lr1(x)
        two = self.lr2(one)
        return self.lr8(self.numerics.resize(self.lr7(self.joined(self.inner(two), two)), one.shape[-2:]) + one)

    def inner(self, two: Tensor) -> Tensor:
        """From half the size to a quarter of it and below."""
        three = self.lr3(two)
        return self.lr6(self.joined(self.lr5(self.lr4_2(self.lr4_1(three))), three))

    def joined(self, x: Tensor, skip: Tensor) -> Tensor:
        """``x`` at the size of ``skip``, and that added."""
        return self.numerics.resize(x, skip.shape[-2:]) + skip

    def halves(self, x: Rows, size: Sequence[int]) -> Tensor:
        """What the last layer gets besides the first one's output, at half the size, B 32 h w; made in strips.

        ``x`` gives rows of what :meth:`forward` takes, H x W ``size``. The second layer is computed twice, since its
        output would be the largest of all.
        """
        height, half = size[0], [-(-side // 2) for side in size]
        quarter = [-(-side // 2) for side in half]

        def two(start: int, stop: int) -> Tensor:
            # As odd or even as all the rows, since official padding is
            return self.lr2(self.lr1(x(2 * start, min(2 * stop - height % 2, height))))

        def three(start: int, stop: int) -> Tensor:
            return self.lr3(two(2 * start, min(2 * stop - half[0] % 2, half[0])))

        return self.joined_strips(self.lr7, self.quarters(in_strips(three, quarter, COARSE_HALO, each=16)), two, half)

    def quarters(self, three: Tensor) -> Tensor:
        """The end of :meth:`inner`, at a quarter of the size."""
        inner = self.lr5(self.lr4_2(self.lr4_1(three)))
        return self.joined_strips(self.lr6, inner, lambda start, stop: three[..., start:stop, :], three.shape[-2:])

    def joined_strips(self, layer: ConvBN, x: Tensor, skip: Rows, size: Sequence[int]) -> Tensor:
        """``layer`` of what :meth:`joined` makes of ``x`` and the rows of a skip of ``size``."""

        def rows(start: int, stop: int) -> Tensor:
            return layer(self.numerics.resize_rows(x, size, start, stop) + skip(start, stop))

        return in_strips(rows, size, COARSE_HALO, each=4)

    def rows(self, x: Rows, size: Sequence[int], halves: Tensor, start: int, stop: int) -> Tensor:
        """Rows start .. stop - 1 of the result, but for the first and last two, from :meth:`halves`."""
        return self.lr8(self.numerics.resize_rows(halves, size, start, stop) + self.lr1(x(start, stop)))


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
        result = self.numerics.upsampling_input(result_low)
        low, size = (image_low, result_low, signed_low), image_high.shape[-2:]
        if not wants_strips(self):
            return mix(*self.fine(self.coarse(torch.cat(low, 1)), result, image_high, 0, size[0]))
        height, width = image_low.shape[-2:]

        def joined(start: int, stop: int) -> Tensor:
            return torch.cat([each[..., start:stop, :] for each in low], 1)

        halves = self.coarse.halves(joined, (height, width))

        def rows(start: int, stop: int) -> Tensor:
            # The rows that these are resized from, and beyond them what a strip of the coarse branch spoils
            first = max(start * height // size[0] - 1 - COARSE_HALO, 0)
            last = min(-(-stop * height // size[0]) + 2 + COARSE_HALO, height)
            coarse = self.coarse.rows(joined, (height, width), halves, first, last)
            part = (first, height) if last - first < height else None
            return mix(*self.fine(coarse, result, image_high, start, stop, part))

        return in_strips(rows, size, HALO)

    def fine(
        self,
        coarse: Tensor,
        result: Tensor,
        image: Tensor,
        start: int,
        stop: int,
        part: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Features B 3C n W and weights B C n W of rows start .. stop - 1 of ``image``.

        ``part``: which rows ``coarse`` holds, as :meth:`Numerics.resize_rows` has it.
        """
        size, image = image.shape[-2:], image[..., start:stop, :]
        # Under one name and then gone: the features take much
        guide = self.lr9(self.numerics.resize_rows(coarse, size, start, stop, part))
        guide = self.pre(torch.cat((image, guide), 1))
        weights = F.relu_(self.output(guide))
        del guide
        result = self.numerics.resize_rows(result, size, start, stop) / self.numerics.upsampling_scale
        images = torch.cat((result, image), 1)
        return (images if self.features is None else self.features(images)), weights
