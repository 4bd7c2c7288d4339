"""Over-compositing of blurred layers: the one implementation behind D2F, the layered reference and their gradients.

The blurred mask is shared by all maps of the stack (numerator, denominator and coverage), every map is blurred alone
through an FFT, and the backward pass is written out: the adjoint of a blur is a blur, so autograd keeps no spectra,
no padded maps and no products, only what lies behind each layer.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from bokehbench.errors import BokehbenchError
from bokehbench.optics.convolution import Plan, plan, transform
from bokehbench.optics.padding import Padding, check_padding, pad, pad_adjoint

#: Layers whose intermediate pictures are kept at a time with ``low_memory``: about the square root of the usual 15.
SEGMENT = 4


def composite(
    stack: Tensor,
    masks: Tensor,
    kernels: Sequence[Tensor],
    padding: Padding = "reflect",
    *,
    low_memory: bool = False,
) -> tuple[Tensor, Tensor]:
    """Blur ``stack`` layer by layer and composite it back to front (D2F, Luo et al. 2023; MPIB, Peng et al. 2022).

    For i = 0 (farthest back) ... N-1 (front), with a_i = K_i * A_i:

        P <- P (1 - a_i) + K_i * (A_i Z),    T <- T (1 - a_i) + a_i

    ``stack`` Z, B C H W: whatever is to be blurred, for example [W x, W]; ``masks`` A, B N H W in [0, 1], or
    bool; ``kernels`` N odd-sized kernels that equal themselves turned by half a turn, or any other, (1, 1) for a sharp
    layer; ``padding`` "zero", "reflect" (any size: reflected again where the picture is smaller than the kernel) or
    "replicate".
    Returns P (B C H W) and the coverage T (B 1 H W, in [0, 1]); P / T undoes missing coverage. Differentiable once with
    respect to stack and masks; ``low_memory`` keeps a fourth of the intermediate pictures for that and blurs twice.
    Computed in fp32 (fp64 for fp64 input), also under autocast. Raises BokehbenchError where the numbers of masks and
    kernels differ or the padding is none of the three.
    """
    check_padding(padding)
    if padding in ("normalised", "full"):
        raise BokehbenchError(f"Layers cannot be composited with padding '{padding}': use zero, reflect or replicate.")
    if masks.shape[1] != len(kernels):
        raise BokehbenchError(f"{masks.shape[1]} layer masks do not fit {len(kernels)} kernels: give one for each.")
    work = torch.float64 if stack.dtype == torch.float64 else torch.float32
    with torch.autocast(stack.device.type, enabled=False):
        stack = stack.to(work)
        masks = masks if masks.dtype == torch.bool else masks.to(work)  # truth values one layer at a time, for memory
        blurs = [_Blur(kernel.to(stack), stack.shape[-2:], padding) for kernel in kernels]
        rendered = []
        for picture, layers in zip(stack, masks, strict=True):
            seen = stack.new_zeros(stack.shape[1] + 1, *stack.shape[-2:])
            for start in range(0, len(blurs), SEGMENT):
                part = slice(start, start + SEGMENT)
                if low_memory:
                    seen = checkpoint(_over, seen, picture, layers[part], blurs[part], use_reentrant=False)
                else:
                    seen = _over(seen, picture, layers[part], blurs[part])
            rendered.append(seen)
    result = torch.stack(rendered)
    return result[:, :-1], result[:, -1:]


class _Blur:
    """One layer's blur of a single H W map, and its adjoint, without autograd."""

    def __init__(self, kernel: Tensor, size: tuple[int, ...], padding: Padding) -> None:
        self.up, self.left, self.padding = kernel.shape[0] // 2, kernel.shape[1] // 2, padding
        self.sharp = kernel.numel() == 1
        self.plan: Plan | None = None
        if not self.sharp:
            grown = size if padding == "zero" else (size[0] + 2 * self.up, size[1] + 2 * self.left)
            self.plan = plan(kernel, grown[0], grown[1], "same" if padding == "zero" else "valid")

    def __call__(self, one: Tensor) -> Tensor:
        if self.plan is None:
            return one
        maps = one[None] if self.padding == "zero" else pad(one[None], self.up, self.left, self.padding)
        return transform(maps, self.plan)[0]

    def adjoint(self, one: Tensor) -> Tensor:
        if self.plan is None:
            return one
        back = transform(one[None], self.plan.transposed())
        return (back if self.padding == "zero" else pad_adjoint(back, self.up, self.left, self.padding))[0]


def _over(seen: Tensor, picture: Tensor, masks: Tensor, blurs: Sequence[_Blur]) -> Tensor:
    """Composite the layers of a picture C H W over ``seen``: what is behind them, and its coverage, (C + 1) H W."""
    for mask, blurred in zip(masks, blurs, strict=True):
        if mask.requires_grad or bool(mask.any()):  # an empty layer changes nothing, but has a gradient
            seen = cast(Tensor, _Layer.apply(seen, picture, mask.to(picture), blurred))
    return seen


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, seen: Tensor, picture: Tensor, mask: Tensor, blurred: _Blur) -> Tensor:
        covered = blurred(mask)
        through = 1 - covered
        ctx.save_for_backward(seen, through, picture, mask)
        ctx.blurred = blurred
        result = seen * through
        for channel, one in enumerate(picture):
            result[channel] += blurred(mask * one)
        result[-1] += covered
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, flow: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        seen, through, picture, mask = ctx.saved_tensors
        covering = flow[-1].clone()
        for above, below in zip(flow, seen, strict=True):
            covering.addcmul_(above, below, value=-1)
        to_picture, to_mask = torch.empty_like(picture), ctx.blurred.adjoint(covering)
        for channel, one in enumerate(picture):
            back = ctx.blurred.adjoint(flow[channel])
            to_mask.addcmul_(back, one)
            torch.mul(back, mask, out=to_picture[channel])
        return flow * through, to_picture, to_mask, None
