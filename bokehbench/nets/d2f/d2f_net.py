"""D2F as one network: hallucinate defocus, weigh by radiance, render in layers at half size, fuse at full size."""

from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.d2f.defocus import DefocusHallucination, HeadActivation
from bokehbench.nets.d2f.fusion import FusionMask, FusionMode, fuse, initial_mask
from bokehbench.nets.d2f.radiance import RadianceMode, RadianceVirtualization
from bokehbench.nets.d2f.renderer import DiskEdge, KernelSet, WeightedLayeredRendering, defocus_top
from bokehbench.optics import per_image


class CoarseOutput(TypedDict):
    """What the first stage gives, at half size (h, w) = ``half_size`` of the picture's sides."""

    defocus: Tensor
    """B 1 h w, as rendered: after the head's activation and the user's scale."""
    defocus_linear: Tensor
    """B 1 h w, the head's unbounded output."""
    radiance: Tensor
    """B 3 h w, the weights W."""
    coarse: Tensor
    """B 3 h w, the rendering."""


class FullOutput(TypedDict):
    """What the second stage gives for a picture of H x W."""

    bokeh: Tensor
    """B 3 H W in [0, 1]."""
    mask: Tensor
    """B 1 H W in [0, 1], 1 = the original pixel."""
    mask_init: Tensor
    """B 1 H W, 0 or 1."""


class D2FOutput(CoarseOutput, FullOutput):
    """What the whole network gives."""


def half_size(side: int) -> Any:
    """64 round(side/2/64), ties to even, at least 64: the first stage's size of a side, in pixels (spec 2).

    The minimum is ours: the released rule gives 0 for sides up to 64.
    """
    return torch.sym_max(64, 64 * ((side + 63 + side // 128 % 2) // 128))


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """B C . . -> B C *size: bilinear, half-pixel centres, no antialias filter, as everywhere in D2F (spec 2)."""
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)


def halved(picture: Tensor) -> Tensor:
    """B C H W at the first stage's size, sides multiples of 64."""
    return resize(picture, (half_size(picture.shape[-2]), half_size(picture.shape[-1])))


def shrinking(image: Tensor) -> Any:
    """How many pixels of ``image`` one pixel of the first stage is long: about 2."""
    return torch.sym_max(*image.shape[-2:]) / torch.sym_max(*(half_size(side) for side in image.shape[-2:]))


class D2FNet(nn.Module):
    """Defocus to Focus: RGB in [0, 1] of any size in, the bokeh picture and all that led to it out.

    Parts: ``defocus`` (A), ``radiance`` (B), ``renderer`` (C, no parameters), ``fusion`` (D).
    Official weights need ``head_activation="none"`` and the other defaults.

    Args:
        head_activation: see :class:`.DefocusHallucination`; ``"none"`` also leaves the renderer's input unclamped.
        kernel_set, disk_edge, sharpness: see :class:`.WeightedLayeredRendering`.
        radiance: see :class:`.RadianceVirtualization`.
        fusion: ``"none"`` the upsampled rendering alone, ``"initial"`` mixed by M0, ``"refined"`` by the mask network.
        hallucination: the other options of :class:`.DefocusHallucination`.
    """

    def __init__(
        self,
        *,
        head_activation: HeadActivation = "clamp",
        kernel_set: KernelSet = 15,
        disk_edge: DiskEdge = "soft",
        sharpness: float = 100.0,
        radiance: RadianceMode = "full",
        fusion: FusionMode = "refined",
        **hallucination: Any,
    ) -> None:
        super().__init__()
        self.fusion_mode = fusion
        clamp = head_activation != "none"
        self.renderer = WeightedLayeredRendering(kernel_set, disk_edge=disk_edge, sharpness=sharpness, clamp=clamp)
        top = defocus_top(kernel_set)
        self.defocus = DefocusHallucination(head_activation=head_activation, top=top, **hallucination)
        self.radiance = RadianceVirtualization(radiance)
        self.fusion = FusionMask()

    def render_coarse(self, half: Tensor, defocus_scale: float | Tensor = 1.0) -> CoarseOutput:
        """Stage 1 (A + B + C) on a picture already at half size: B 3 h w in [0, 1], sides multiples of 64.

        ``defocus_scale`` (a number, or one per picture) multiplies the defocus map; what exceeds the largest kernel is
        cut off.
        """
        if bool(torch.as_tensor(defocus_scale < 0).any()):
            raise BokehbenchError("The defocus scale of D2F must be 0 (sharp) or more; 1 is the network's own.")
        linear = self.defocus.linear(half).to(half.dtype)
        defocus = self.defocus.activate(linear)
        if isinstance(defocus_scale, Tensor) or defocus_scale != 1:
            defocus = (defocus * per_image(defocus_scale, defocus)).clamp(0, self.defocus.top)
        weight = self.radiance(half)
        coarse = self.renderer(half, weight, defocus)
        return {"defocus": defocus, "defocus_linear": linear, "radiance": weight, "coarse": coarse}

    def mask(self, image: Tensor, defocus: Tensor, mask_init: Tensor) -> Tensor:
        """The mask that ``fusion`` asks for, in [0, 1]: RGB, upsampled defocus and M0 at full size -> B 1 H W."""
        if self.fusion_mode == "none":
            return torch.zeros_like(mask_init)
        if self.fusion_mode == "initial":
            return mask_init
        return self.fusion(image, defocus).to(image.dtype).clamp(0, 1)

    def forward(self, image: Tensor, defocus_scale: float | Tensor = 1.0) -> D2FOutput:
        """B 3 H W RGB in [0, 1], gamma-encoded, any H and W -> :class:`D2FOutput`.

        ``defocus_scale`` as in :meth:`render_coarse`. Raises :class:`BokehbenchError` where it is negative.
        """
        stage1 = self.render_coarse(halved(image), defocus_scale)
        return {**stage1, **self.finish(image, stage1["defocus"], stage1["coarse"])}

    def finish(self, image: Tensor, defocus: Tensor, coarse: Tensor) -> FullOutput:
        """Stage 2: the rendering of the first stage, enlarged and fused with the picture."""
        full = (image.shape[-2], image.shape[-1])
        defocus, rendering = resize(defocus, full).to(image.dtype), resize(coarse, full)
        mask_init = initial_mask(defocus)
        mask = self.mask(image, defocus, mask_init)
        bokeh = fuse(image, rendering, mask).clamp(0, 1)
        return {"bokeh": bokeh, "mask": mask, "mask_init": mask_init}
