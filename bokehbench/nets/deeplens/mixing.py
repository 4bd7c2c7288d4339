"""Eq. 2 of DeepLens: one normalised mix of feature channels per pixel (arXiv 1810.08100, section 3.2)."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Added to the sum of the weights; the authors' value. It is below float32's resolution: it only guards 0 / 0.
EPSILON = 2.2e-16


def mix(features: Tensor, weights: Tensor) -> Tensor:
    """L_c(p) = sum_d K_d(p) F_dc(p) / (sum_d K_d(p) + 2.2e-16), Eq. 2.

    ``features``: B 3D H W, channel 3 d + c belongs to colour c; ``weights``: B D H W, not negative.
    Returns B 3 H W in float32 (also under autocast; float64 stays). Where all weights are zero the result is black
    and no gradient flows: see :func:`dead_fraction`. Once differentiable.
    """
    dtype = torch.promote_types(torch.promote_types(features.dtype, weights.dtype), torch.float32)
    return _Mix.apply(features.to(dtype), weights.to(dtype))


def dead_fraction(weights: Tensor) -> Tensor:
    """Share of pixels where every weight is zero (they come out black), B D H W -> scalar in [0, 1]."""
    return (weights.sum(1) <= 0).float().mean()


class _Mix(torch.autograd.Function):
    """One channel plane at a time: the planes stay in cache and no B 3D H W product is ever made."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor) -> Tensor:
        out = features[:, :3] * weights[:, :1]
        total = weights[:, :1] + EPSILON
        for d in range(1, weights.shape[1]):
            out.addcmul_(features[:, 3 * d : 3 * d + 3], weights[:, d : d + 1])
            total += weights[:, d : d + 1]
        out /= total
        ctx.save_for_backward(features, weights, out, total)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """dF_dc = K_d g_c / S and dK_d = sum_c (F_dc - L_c) g_c / S."""
        features, weights, out, total = ctx.saved_tensors
        need_features, need_weights = ctx.needs_input_grad
        grad = grad / total
        d_features = torch.empty_like(features) if need_features else None
        d_weights = torch.empty_like(weights) if need_weights else None
        shared = (out * grad).sum(1)
        for d in range(weights.shape[1]):
            if d_features is not None:
                torch.mul(grad, weights[:, d : d + 1], out=d_features[:, 3 * d : 3 * d + 3])
            if d_weights is not None:
                plane = torch.addcmul(-shared, features[:, 3 * d], grad[:, 0])
                plane.addcmul_(features[:, 3 * d + 1], grad[:, 1])
                torch.addcmul(plane, features[:, 3 * d + 2], grad[:, 2], out=d_weights[:, d])
        return d_features, d_weights
