"""SSIM with a window that also runs over the colour channels (BasicSR-derived code; BoVAR's table)."""

from bokehbench.lazy import F, Tensor, torch
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.ssim_terms import combine
from bokehbench.metrics.ssim_window import Window, window_of

ROWS = 32


def ssim_3d(prediction: Tensor, target: Tensor, peak: float = 1.0) -> Tensor:
    """SSIM of each image, shape B, with an 11 x 11 x 11 Gaussian over height, width and channel, edges repeated.

    Not the metric of Wang et al.: the window also mixes the three channels. On all of Val294 it gives 0.8990
    where the Gaussian SSIM gives 0.8973, with single pictures 0.05 apart. In [-1, 1], 1 for equal pictures, higher is
    better. Kept only to replay published numbers (protocol ``basicsr``); not differentiable.

    Args:
        prediction, target: B C H W, nominally in [0, 1]; :func:`check_pair` raises.
        peak: largest possible value.
    """
    prediction, target = check_pair(prediction, target)
    window = window_of("gaussian")
    mix = channel_mix(window, prediction.shape[1]).to(prediction)
    margin = window.size // 2
    total, height = prediction.new_zeros(len(prediction)), prediction.shape[2]
    with torch.no_grad():
        x, y = (F.pad(picture, (margin,) * 4, mode="replicate") for picture in (prediction, target))
        for row in range(0, height, ROWS):
            band = slice(row, min(row + ROWS, height) + 2 * margin)
            s, d = x[:, :, band] + y[:, :, band] - peak, x[:, :, band] - y[:, :, band]
            means = window(torch.stack((s, d, s * s, d * d)))
            terms = combine(torch.einsum("oc,mbchw->mbohw", mix, means).contiguous(), window.covariance, peak)
            total += terms.luminance.mul_(terms.contrast).sum((1, 2, 3))
    return total / prediction[0].numel()


def channel_mix(window: Window, channels: int) -> Tensor:
    """What a window along the channel axis with repeated edges does to the channels: C C, rows sum to 1, float64."""
    mix = torch.zeros(channels, channels, dtype=torch.float64)
    for channel in range(channels):
        for offset, tap in enumerate(window.taps, start=-(window.size // 2)):
            mix[channel, min(max(channel + offset, 0), channels - 1)] += tap
    return mix
