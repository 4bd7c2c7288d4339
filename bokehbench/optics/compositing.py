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

    ``stack`` Z, B C H W: whatever is to be blurred, for example [W x, W]; ``masks`` A, B N H W in [0, 1]; ``kernels`` N
    odd-sized kernels that equal themselves turned by half a turn, or any other, (1, 1) for a sharp layer; ``padding``
    "zero", "reflect" (any size: reflected again where the picture is smaller than the kernel) or "replicate".
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
        stack, masks = stack.to(work), masks.to(work)
        blurs = [_Blur(kernel.to(stack), stack.shape[-2:], padding) for kernel in kernels]
        result = cast(Tensor, _Over.apply(stack, masks, blurs, low_memory))
    return result[:, :-1], result[:, -1:]


#: The picture with its coverage (C + 1) H W behind a layer, and the share H W of it that the layer lets through.
_Step = tuple[Tensor, Tensor]


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


class _Over(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, stack: Tensor, masks: Tensor, blurs: Sequence[_Blur], low_memory: bool) -> Tensor:
        differentiating = any(ctx.needs_input_grad[:2])
        ctx.save_for_backward(stack, masks)
        ctx.blurs, ctx.low_memory, ctx.kept = blurs, low_memory, []
        result = stack.new_zeros(len(stack), stack.shape[1] + 1, *stack.shape[-2:])
        for picture, layers, seen in zip(stack, masks, result, strict=True):
            for start in range(0, len(blurs), SEGMENT):
                part = slice(start, start + SEGMENT)
                before = seen.clone() if differentiating and low_memory else None
                steps = _advance(seen, picture, layers[part], blurs[part], differentiating and not low_memory)
                ctx.kept.append(before if low_memory else steps)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        stack, masks = ctx.saved_tensors
        to_stack, to_masks = torch.zeros_like(stack), torch.zeros_like(masks)
        starts = range(0, len(ctx.blurs), SEGMENT)
        for b, (picture, flow) in enumerate(zip(stack, gradient.clone(), strict=True)):
            for number, start in reversed(list(enumerate(starts))):
                part = slice(start, start + SEGMENT)
                steps = ctx.kept[b * len(starts) + number]
                if ctx.low_memory:
                    steps = _advance(steps.clone(), picture, masks[b, part], ctx.blurs[part], True)
                _retreat(flow, picture, masks[b, part], ctx.blurs[part], steps, to_stack[b], to_masks[b, part])
        return to_stack, to_masks, None, None


def _advance(seen: Tensor, picture: Tensor, masks: Tensor, blurs: Sequence[_Blur], keep: bool) -> list[_Step]:
    """Composite layers over ``seen`` in place; returns, to ``keep``, what was behind each and how much passes it."""
    steps = []
    for mask, blurred in zip(masks, blurs, strict=True):
        if not keep and not bool(mask.any()):
            continue
        covered = blurred(mask)
        through = 1 - covered
        if keep:
            steps.append((seen.clone(), through))
        seen.mul_(through)
        for channel, one in enumerate(picture):
            seen[channel] += blurred(mask * one)
        seen[-1] += covered
    return steps


def _retreat(
    flow: Tensor,
    picture: Tensor,
    masks: Tensor,
    blurs: Sequence[_Blur],
    steps: list[_Step],
    to_picture: Tensor,
    to_masks: Tensor,
) -> None:
    """The adjoint of :func:`_advance`: takes the gradient ``flow`` behind the layers in place, adds to the others."""
    for mask, blurred, (seen, through), to_mask in reversed(list(zip(masks, blurs, steps, to_masks, strict=True))):
        covering = flow[-1].clone()
        for above, below in zip(flow, seen, strict=True):
            covering.addcmul_(above, below, value=-1)
        to_mask += blurred.adjoint(covering)
        for channel, one in enumerate(picture):
            back = blurred.adjoint(flow[channel])
            to_mask.addcmul_(back, one)
            to_picture[channel].addcmul_(back, mask)
        flow.mul_(through)
