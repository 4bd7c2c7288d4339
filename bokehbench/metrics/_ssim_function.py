"""SSIM as a function that autograd knows, in row bands both ways."""

from typing import Any

import torch
from torch import Tensor

from bokehbench.metrics.ssim_terms import band_gradient, band_terms, bands
from bokehbench.metrics.ssim_window import Window


class _SSIMTerms(torch.autograd.Function):
    """Saves its inputs only; the backward pass recomputes each band's maps."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, window: Window, peak: float) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x, y)
        ctx.window, ctx.peak = window, peak
        ssim, contrast = x.new_zeros(len(x)), x.new_zeros(len(x))
        for planes, _, source in bands(x, window):
            terms = band_terms(x[planes, source], y[planes, source], window, peak)
            contrast[planes] += terms.contrast.sum((1, 2))
            ssim[planes] += terms.contrast.mul_(terms.luminance).sum((1, 2))
        count = (x.shape[1] - window.size + 1) * (x.shape[2] - window.size + 1)
        return ssim / count, contrast / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, y = ctx.saved_tensors
        window, peak = ctx.window, ctx.peak
        count = (x.shape[1] - window.size + 1) * (x.shape[2] - window.size + 1)
        of_ssim, of_contrast = (gradient.reshape(-1, 1, 1) / count for gradient in gradients)
        of_x, of_y = (torch.zeros_like(x) if needed else None for needed in ctx.needs_input_grad[:2])
        for planes, _, source in bands(x, window):
            here = x[planes, source], y[planes, source]
            terms = band_terms(*here, window, peak)
            of_s, of_d = band_gradient(*here, terms, window, of_ssim[planes], of_contrast[planes])
            if of_x is not None:
                of_x[planes, source] += of_s + of_d
            if of_y is not None:
                of_y[planes, source] += of_s - of_d
        return of_x, of_y, None, None


def ssim_terms(x: Tensor, y: Tensor, window: Window, peak: float = 1.0) -> tuple[Tensor, Tensor]:
    """Mean over the valid region of SSIM and of its contrast-structure part, both B C.

    Args:
        x, y: B C H W, same float type; differentiable with respect to both (once).
        window: weights of the neighbourhood.
        peak: largest possible value L; C1 = (0.01 L)², C2 = (0.03 L)².
    """
    ssim, contrast = _SSIMTerms.apply(x.flatten(0, 1), y.flatten(0, 1), window, peak)
    return ssim.reshape(x.shape[:2]), contrast.reshape(x.shape[:2])
