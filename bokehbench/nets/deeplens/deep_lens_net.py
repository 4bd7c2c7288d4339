"""DeepLens: Shallow Depth Of Field From A Single Image (Wang et al., SIGGRAPH Asia 2018, arXiv 1810.08100)."""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.nets.deeplens.depth_network import DepthNetwork
from bokehbench.nets.deeplens.feature_network import FeatureNetwork
from bokehbench.nets.deeplens.kernel_network import KernelNetwork
from bokehbench.nets.deeplens.mixing import dead_fraction, mix
from bokehbench.nets.deeplens.other_upsampling import bicubic_upsampling, guided_upsampling
from bokehbench.nets.deeplens.pyramid import pyramid
from bokehbench.nets.deeplens.upsampling_network import UpsamplingNetwork
from bokehbench.nets.numerics import Numerics

UPSAMPLINGS = ("learned", "bicubic", "guided")


class DeepLensNet(nn.Module):
    """Depth network, lens blur (kernel and feature network) and guided upsampling.

    Images are RGB in [0, 1], B 3 H W, of any size. Signed disparity is (D - focus) * a, B 1 H W in [-1, 1]: nearer
    than the focus is positive; a = aperture / largest trained aperture (paper 3.2.2).

    Args:
        channels: feature channels per colour in the lens blur (31 in the release, 32 in the paper), Fig. 12's sweep.
        upsampling_channels: the same in the upsampling network (32).
        numerics: ``"official"`` for the authors' weights, ``"modern"`` for training; see :class:`Numerics`.
        two_map: upsample by Eq. 3, with two maps and no learned features.
        backbone_pretrained: ImageNet weights for the depth network's body (needs ``"modern"``).
        segmentation_head: add the depth network's training-only second head.
        depth_size: side of the square that the depth network sees (320 in the release).
        output_bias: initial bias of the two layers whose ReLU outputs are the mixing weights. A pixel whose weights
            are all zero is black and learns nothing, so "modern" starts at 0.3 (ours; official: 0).
        depth_network: have one; :meth:`predict_disparity` needs it.
        feature_start: ``"random"`` (Glorot, the authors') or ``"blurred"``: see :meth:`FeatureNetwork.start_blurred`.
        upsampling: ``"learned"``, ``"bicubic"`` or ``"guided"``: how :meth:`upsample` works. The learned network is
            there with any, so that all share one state dict.
    """

    def __init__(
        self,
        channels: int = 31,
        upsampling_channels: int = 32,
        numerics: str = "modern",
        two_map: bool = False,
        backbone_pretrained: bool = False,
        segmentation_head: bool = True,
        depth_size: int = 320,
        output_bias: float | None = None,
        depth_network: bool = True,
        feature_start: str = "random",
        upsampling: str = "learned",
    ) -> None:
        super().__init__()
        self.numerics = Numerics.named(numerics)
        if upsampling not in UPSAMPLINGS:
            raise BokehbenchError(f"unknown upsampling '{upsampling}': {nearest(upsampling, UPSAMPLINGS)}")
        self.upsampling = upsampling
        if output_bias is None:
            output_bias = 0.0 if self.numerics.official else 0.3
        self.depth_size = depth_size
        self.feature_network = FeatureNetwork(channels)
        self.kernel_network = KernelNetwork(channels, self.numerics, output_bias)
        self.upsampling_network = UpsamplingNetwork(upsampling_channels, self.numerics, output_bias, two_map=two_map)
        if feature_start == "blurred":
            for features in filter(None, (self.feature_network, self.upsampling_network.features)):
                features.start_blurred()
        if depth_network:
            self.depth = DepthNetwork(
                self.numerics, pretrained=backbone_pretrained, segmentation_head=segmentation_head
            )

    def rendering_networks(self) -> list[nn.Module]:
        """What learns to render: lens blur, and upsampling where that is learned."""
        learned = [self.upsampling_network] if self.upsampling == "learned" else []
        return [self.feature_network, self.kernel_network, *learned]

    def predict_disparity(self, image: Tensor) -> Tensor:
        """B 3 H W -> disparity B 1 H W in [0, 1], 1 = nearest, min-max normalised per image *after* resizing back."""
        square = (self.depth_size, self.depth_size)
        if self.numerics.official:
            small = self.numerics.resize(image, square)
        else:
            small = F.interpolate(image, square, mode="bilinear", antialias=True)
        raw = self.numerics.resize(self.depth(small), image.shape[-2:])
        low, high = raw.amin((1, 2, 3), keepdim=True), raw.amax((1, 2, 3), keepdim=True)
        return (raw - low) / (high - low + 1.19e-7)

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Levels of B 3 H W, lowest first: see :func:`bokehbench.nets.deeplens.pyramid.pyramid`."""
        return pyramid(image, self.numerics)

    def features(self, image: Tensor) -> Tensor:
        """What the lens blur mixes, B 3*channels H W; depends on the image alone, so it can be kept for refocusing."""
        return self.feature_network(self.numerics.order(image))

    def kernels(self, image: Tensor, signed: Tensor) -> Tensor:
        """The lens blur's weights before normalisation, B channels H W."""
        return self.kernel_network(self.numerics.order(image), signed)

    def lens_blur(self, image: Tensor, signed: Tensor, features: Tensor | None = None) -> Tensor:
        """Eq. 2: B 3 H W -> the blurred image B 3 H W, not clamped; ``features`` are those of the same image."""
        features = self.features(image) if features is None else features
        return self.numerics.order(mix(features, self.kernels(image, signed)))

    def dead_fraction(self, image: Tensor, signed: Tensor) -> Tensor:
        """Share of pixels that the lens blur leaves black because all their weights are zero (trap 9), scalar."""
        return dead_fraction(self.kernels(image, signed))

    def upsample(self, image_low: Tensor, result_low: Tensor, signed_low: Tensor, image_high: Tensor) -> Tensor:
        """One recurrent step: B 3 h w, B 3 h w, B 1 h w and B 3 H W -> B 3 H W, not clamped."""
        if self.upsampling == "bicubic":
            return bicubic_upsampling(result_low.clamp(0, 1), image_high.shape[-2:])
        if self.upsampling == "guided":
            return guided_upsampling(image_low, result_low.clamp(0, 1), image_high)
        order = self.numerics.order
        if not self.numerics.official:
            result_low = result_low.clamp(0, 1)
        return order(self.upsampling_network(order(image_low), order(result_low), signed_low, order(image_high)))

    def forward(self, levels: Sequence[Tensor], signed: Tensor, features: Tensor | None = None) -> list[Tensor]:
        """The recurrent loop of spec 2: results at every level of ``levels`` (lowest first), not clamped.

        ``signed`` and ``features`` belong to the lowest level; the signed disparity of each next level is resized from
        the one before. ``levels[:1]`` alone is a preview.
        """
        results = [self.lens_blur(levels[0], signed, features)]
        for low, high in pairwise(levels):
            results.append(self.upsample(low, results[-1], signed, high))
            signed = self.numerics.resize(signed, high.shape[-2:])
        return results
