"""D2F's weighted layered rendering (Luo et al. 2023, "Defocus to Focus"; formulas of the released code)."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bokehbench.optics.aperture_kernels import disk, soft_disk
from bokehbench.optics.compositing import composite
from bokehbench.optics.padding import Padding

#: Radii of the 15 published layers in px at half resolution; defocus is an index into them, not a radius.
RADII = (0, 1, 2, 3, 5, 7, 9, 11, 13, 16, 19, 22, 26, 30, 34)
EPSILON = 1e-10
#: Where the blurred weights fall below this share of the largest weight, the rounding of a fp32 FFT would show.
WEAK = 1e-3
#: Coverage below this is nothing: beyond the layers' range the picture is black, not 0/0. In fp32 the masks themselves
#: vanish there (their 1/2 + 1/2 tanh has steps of 3e-8); in fp64 it is what the rounding of an FFT leaves.
NOTHING = {torch.float32: 1.5e-8, torch.float64: 1e-13}


def soft_masks(defocus: Tensor, layers: int = len(RADII), sharpness: float = 100.0) -> Tensor:
    """Layer masks A_i = 1/2 + 1/2 tanh(sharpness (delta - |D - i delta|)), delta = 1 / (layers - 1): B N H W.

    ``defocus`` D, B 1 H W, nominally in [0, 1], 0 = sharp. Listed from the most blurred layer to the sharp one, the
    order of :func:`composite`. Each mask covers two intervals, so nearly every pixel is in two layers; all masks vanish
    beyond -delta and 1 + delta. Differentiable once.
    """
    return cast(Tensor, _SoftMasks.apply(defocus, layers, sharpness))


def weighted_layers(
    image: Tensor,
    defocus: Tensor,
    weight: Tensor | None = None,
    *,
    radii: Sequence[int] = RADII,
    sharpness: float = 100.0,
    kernel: Literal["soft", "hard"] = "soft",
    padding: Padding = "reflect",
    low_memory: bool = False,
) -> Tensor:
    """Render B = C(W x; D) / (C(W; D) + 1e-10) with C(Z; D) = P / (T + 1e-10) of :func:`composite`: B 3 H W.

    ``image`` x, B 3 H W; ``defocus`` D, B 1 H W in [0, 1 + delta / 2] (clamp it: beyond -delta and 1 + delta the layers
    become transparent, then black); ``weight`` W > 0, B 3 H W or B 1 H W, how much each pixel outvotes others (None:
    1). ``radii`` from sharp to most blurred. Differentiable once with respect to the three. Computed in fp32; a picture
    whose blurred weights fall below a thousandth of the largest weight anywhere is computed in fp64, because there the
    rounding of an FFT exceeds the weights themselves.
    """
    work = torch.float64 if image.dtype == torch.float64 else torch.float32
    image, defocus = image.to(work), defocus.to(work)
    weight = image.new_ones(len(image), 1, *image.shape[-2:]) if weight is None else weight.to(work)
    shape = disk if kernel == "hard" else soft_disk
    kernels = [shape(radius, dtype=torch.float32) for radius in reversed(radii)]
    stack = torch.cat([weight * image, weight], 1)
    masks = soft_masks(defocus, len(radii), sharpness)
    light, covered = composite(stack, masks, kernels, padding, low_memory=low_memory)
    weak = (light[:, 3:].detach().amin((1, 2, 3)) < WEAK * weight.detach().amax((1, 2, 3))).nonzero().flatten()
    nothing = NOTHING[work]
    if len(weak) == 0 or work == torch.float64:
        return unweighted(light, covered, nothing)
    exact_masks = soft_masks(defocus[weak].double(), len(radii), sharpness)
    exact = composite(stack[weak].double(), exact_masks, kernels, padding, low_memory=low_memory)
    strong = torch.ones(len(image), dtype=torch.bool, device=image.device)
    strong[weak] = False
    rendered = torch.empty_like(image)
    rendered[weak] = unweighted(*exact, nothing).to(work)
    if bool(strong.any()):
        rendered[strong] = unweighted(light[strong], covered[strong], nothing)
    return rendered


def unweighted(light: Tensor, covered: Tensor, nothing: float) -> Tensor:
    """[P / (T + e)] / [Q / (T + e) + e] with e = 1e-10, multiplied out."""
    weights = light[:, 3:] + EPSILON * (covered + EPSILON)
    empty = covered < nothing
    return (light[:, :3] / weights.masked_fill(empty, 1.0)).masked_fill(empty, 0.0)


class _SoftMasks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, defocus: Tensor, layers: int, sharpness: float) -> Tensor:
        ctx.sharpness = sharpness
        delta = 1 / (layers - 1)
        masks = defocus.new_empty(len(defocus), layers, *defocus.shape[-2:])
        for i in range(layers):
            mask = torch.sub(defocus[:, 0], (layers - 1 - i) * delta, out=masks[:, i])
            mask.abs_().neg_().add_(delta).mul_(sharpness).tanh_().mul_(0.5).add_(0.5)
        ctx.save_for_backward(defocus, masks)
        return masks

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        defocus, masks = ctx.saved_tensors
        layers = masks.shape[1]
        total = torch.zeros_like(defocus[:, 0])
        for i in range(layers):
            slope = torch.sign((layers - 1 - i) / (layers - 1) - defocus[:, 0]).mul_(2 * ctx.sharpness)
            total += slope.mul_(masks[:, i]).mul_(1 - masks[:, i]).mul_(gradient[:, i])
        return total[:, None], None, None
