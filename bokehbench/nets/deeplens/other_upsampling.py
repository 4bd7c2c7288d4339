"""Upsampling without weights: what DeepLens' learned one is compared with."""

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.nets.numerics import Size

#: Half side of the guided filter's windows in pixels of the low level, and the regulariser of its fit (for pictures in
#: [0, 1]). Ours: of a sweep on synthetic scenes, see docs/models/deeplens.md.
RADIUS = 1
EPSILON = 1e-4


def bicubic_upsampling(result_low: Tensor, size: Size) -> Tensor:
    """B 3 h w -> B 3 H W without a guide (Keys' cubic convolution, as PyTorch has it); overshoots at edges."""
    return F.interpolate(result_low, size, mode="bicubic", align_corners=False)


def guided_upsampling(
    image_low: Tensor, result_low: Tensor, image_high: Tensor, radius: int = RADIUS, epsilon: float = EPSILON
) -> Tensor:
    """Joint upsampling by the guided filter, fitted at the low level and applied at the high one.

    In each window of (2 radius + 1)^2 pixels the result is a linear function of the guide's three colours,
    q = a' I + b, by ridge regression (He et al., "Guided Image Filtering", PAMI 2013, Eqs. 14-16, for colour guides).
    a and b are averaged over the windows that cover a pixel, resized bilinearly, and meet the large guide (He and Sun,
    "Fast Guided Filter", arXiv 1505.00996, Algorithm 2). Windows are cut at the picture's edge. Differentiable.

    Args:
        image_low: guide, B 3 h w in [0, 1].
        result_low: what is made larger, B C h w.
        image_high: guide, B 3 H W in [0, 1].
        radius: half side of a window in pixels of the low level.
        epsilon: regulariser, in squared units of the guide: structure of less variance than this is smoothed away.

    Returns:
        B C H W, not clamped.
    """
    # Variances are differences of near numbers: half precision would lose them.
    with torch.autocast(image_low.device.type, enabled=False):
        guide, wanted, large = image_low.float(), result_low.float(), image_high.float()
        slope, offset = _fit(guide, wanted, radius, epsilon)
        slope, offset = (
            F.interpolate(box_mean(x, radius), large.shape[-2:], mode="bilinear", align_corners=False)
            for x in (slope, offset)
        )
        result = torch.einsum("bgchw,bghw->bchw", slope.unflatten(1, (guide.shape[1], -1)), large) + offset
    return result.to(result_low.dtype)


def _fit(guide: Tensor, wanted: Tensor, radius: int, epsilon: float) -> tuple[Tensor, Tensor]:
    """Slopes B 3*C h w (the guide's colour first) and offsets B C h w of every pixel's window."""
    count = guide.shape[1]
    mean, mean_wanted = box_mean(guide, radius), box_mean(wanted, radius)
    products = (guide.unsqueeze(2) * guide.unsqueeze(1)).flatten(1, 2)
    joint = (guide.unsqueeze(2) * wanted.unsqueeze(1)).flatten(1, 2)
    variance = box_mean(products, radius).unflatten(1, (count, -1)) - mean.unsqueeze(2) * mean.unsqueeze(1)
    covariance = box_mean(joint, radius).unflatten(1, (count, -1)) - mean.unsqueeze(2) * mean_wanted.unsqueeze(1)
    ridge = epsilon * torch.eye(count, dtype=guide.dtype, device=guide.device)
    slope = torch.linalg.solve(variance.permute(0, 3, 4, 1, 2) + ridge, covariance.permute(0, 3, 4, 1, 2))
    slope = slope.permute(0, 3, 4, 1, 2)
    return slope.flatten(1, 2), mean_wanted - (slope * mean.unsqueeze(2)).sum(1)


def box_mean(x: Tensor, radius: int) -> Tensor:
    """Mean over (2 radius + 1)^2 pixels, fewer at the edges: B C H W -> B C H W, for any size."""
    side = 2 * radius + 1
    x = F.avg_pool2d(x, (1, side), 1, (0, radius), count_include_pad=False)
    return F.avg_pool2d(x, (side, 1), 1, (radius, 0), count_include_pad=False)
