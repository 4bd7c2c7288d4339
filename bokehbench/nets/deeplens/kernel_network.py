"""DeepLens' kernel network: the weights that Eq. 2 mixes with (spec 3.3)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.blocks import ConvBN, glorot_
from bokehbench.nets.numerics import Numerics
from bokehbench.optics.strips import in_strips, wants_strips

#: Rows beyond its own that one output row sees at full size: 3 + 1 + 1 + 1.
HALO = 6


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with 64 inner channels; the stride sits on the *last* 1x1, and a projection has its own ReLU."""

    def __init__(self, inputs: int, outputs: int, numerics: Numerics, *, stride: int = 1) -> None:
        super().__init__()
        self.branch1 = ConvBN(inputs, outputs, 1, numerics, stride=stride) if inputs != outputs else None
        self.branch2a = ConvBN(inputs, 64, 1, numerics)
        self.branch2b = ConvBN(64, 64, 3, numerics)
        self.branch2c = ConvBN(64, outputs, 1, numerics, stride=stride, slope=None)

    def forward(self, x: Tensor) -> Tensor:
        """B in H W -> B out ceil(H/stride) ceil(W/stride)."""
        return self.join(x if self.branch1 is None else self.branch1(x), self.branch2a(x))

    def join(self, shortcut: Tensor, inner: Tensor) -> Tensor:
        """The rest of the block after its first 1x1 convolutions."""
        return F.relu_(self.branch2c(self.branch2b(inner)).add_(shortcut))


class MergingBottleneck(Bottleneck):
    """A bottleneck with projection on concat [resize(coarse), fine] that never makes the concatenation.

    A 1x1 convolution commutes with bilinear resizing and splits over a concatenation, so the coarse share of both
    first convolutions is computed before the resize, on 1/64 of the pixels. Exact up to rounding.
    """

    def __init__(self, coarse: int, fine: int, outputs: int, numerics: Numerics) -> None:
        super().__init__(coarse + fine, outputs, numerics)
        self.coarse = coarse

    def shrink(self, coarse: Tensor) -> Tensor:
        """Coarse share of the first convolutions, before the resize: B coarse h w -> B outputs+64 h w."""
        weight, _ = self._first()
        return F.conv2d(coarse, weight[:, : self.coarse])

    def merge(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Resized :meth:`shrink` B outputs+64 H W and B fine H W -> B outputs H W."""
        assert self.branch1 is not None
        weight, bias = self._first()
        x = F.conv2d(fine, weight[:, self.coarse :], bias).add_(coarse)
        channels = [self.branch1.conv.out_channels, self.branch2a.conv.out_channels]
        if self.training:
            shortcut, inner = x.split(channels, 1)
            return self.join(self.branch1.finish(shortcut), self.branch2a.finish(inner))
        shortcut, inner = F.relu_(x).split(channels, 1)
        return self.join(shortcut, inner)

    def _first(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of both first convolutions side by side, norms folded in where they can be."""
        assert self.branch1 is not None
        if self.training:
            return torch.cat((self.branch1.conv.weight, self.branch2a.conv.weight)), None
        (weight1, bias1), (weight2, bias2) = self.branch1.folded(), self.branch2a.folded()
        return torch.cat((weight1, weight2)), torch.cat((bias1, bias2))


class KernelNetwork(nn.Module):
    """Image B 3 H W in [0, 1] and signed disparity B 1 H W in [-1, 1] -> weights B channels H W >= 0, not normalised.

    Sees 13x13 pixels of the image and about 55x55 of the disparity. ``output_bias`` is the last bias' initial value.
    """

    def __init__(self, channels: int, numerics: Numerics, output_bias: float) -> None:
        super().__init__()
        self.numerics = numerics
        self.conv1_shallow = ConvBN(4, 64, 7, numerics)
        self.conv1 = ConvBN(1, 64, 7, numerics, stride=4)
        self.res2a = Bottleneck(64, 128, numerics)
        self.res2b = Bottleneck(128, 256, numerics, stride=2)
        self.res3a = Bottleneck(256, 256, numerics)
        self.res4a = MergingBottleneck(256, 64, 128, numerics)
        self.res4b = Bottleneck(128, 256, numerics)
        self.res4c = Bottleneck(256, 256, numerics)
        self.output = nn.Conv2d(256, channels, 1)
        glorot_(self)
        nn.init.constant_(self.output.bias, output_bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor, signed: Tensor) -> Tensor:
        """The channel order of ``image`` is the caller's business."""
        x = torch.cat((image - 0.5, signed), 1)
        deep = self.res4a.shrink(self.res3a(self.res2b(self.res2a(self.conv1(signed)))))
        if not wants_strips(self):
            return self._fine(x, deep, 0, x.shape[-2])
        return in_strips(lambda start, stop: self._fine(x, deep, start, stop), x.shape[-2:], HALO)

    def _fine(self, x: Tensor, deep: Tensor, start: int, stop: int) -> Tensor:
        """Rows start .. stop - 1 of the weights, from the full-size inputs and the coarse branch."""
        deep = self.numerics.resize_rows(deep, x.shape[-2:], start, stop)
        x = self.res4a.merge(deep, self.conv1_shallow(x[..., start:stop, :]))
        return F.relu_(self.output(self.res4c(self.res4b(x))))
