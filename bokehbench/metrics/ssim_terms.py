"""The core of SSIM and MS-SSIM: local statistics in row bands, forward and backward.

Wang et al. 2004, Eq. 13, from the sum s = x + y and the difference d = x - y. Their windowed means and mean squares are
four maps instead of five, and nearly equal pictures keep their precision, because d is small:
2 σxy = (var s - var d) / 2 and σx² + σy² = (var s + var d) / 2.
"""

from collections.abc import Iterator
from typing import NamedTuple

from bokehbench.lazy import F, Tensor, torch
from bokehbench.metrics.ssim_window import Window

K1, K2 = 0.01, 0.03
#: Elements of one band: four such maps and their temporaries stay in the second-level cache.
BAND = 1 << 16


class Terms(NamedTuple):
    """Maps of one band, all P h w, and what the backward pass needs of them."""

    luminance: Tensor
    contrast: Tensor
    luminance_below: Tensor
    contrast_below: Tensor
    mean_s: Tensor
    mean_d: Tensor
    centre: float


def bands(x: Tensor, window: Window) -> Iterator[tuple[slice, slice, slice]]:
    """Slices (planes, rows of the result, their rows of the picture) that cover the valid region of P H W planes."""
    planes, height, width = x.shape
    rows, together = height - window.size + 1, planes
    step = rows
    if x.device.type == "cpu":
        step = max(16, BAND // width)
        together = max(1, BAND // (width * min(step, height)))
    for plane in range(0, planes, together):
        for row in range(0, rows, step):
            end = min(row + step, rows)
            yield slice(plane, plane + together), slice(row, end), slice(row, end + window.size - 1)


def band_terms(x: Tensor, y: Tensor, window: Window, peak: float) -> Terms:
    """Luminance and contrast-structure maps of the valid region of planes P h w."""
    maps = x.new_empty(4, *x.shape)
    # Variance does not see a shift, and rounding error shrinks with the size of the values.
    torch.add(x, y, out=maps[0]).sub_(peak)
    torch.sub(x, y, out=maps[1])
    torch.mul(maps[:2], maps[:2], out=maps[2:])
    return combine(window(maps), window.covariance, peak)


def combine(means: Tensor, covariance: float, peak: float) -> Terms:
    """The maps from the windowed means of s - L, d, (s - L)² and d², stacked; overwrites them."""
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    mean_s, mean_d, power_s, power_d = means.unbind(0)
    square_d = mean_d * mean_d
    variance_s = power_s.addcmul_(mean_s, mean_s, value=-1)
    variance_d = power_d.sub_(square_d)
    square_s = (mean_s + peak).square_()
    luminance_below = (square_s + square_d).mul_(0.5).add_(c1)
    luminance = square_s.sub_(square_d).mul_(0.5).add_(c1).div_(luminance_below)
    contrast_below = (variance_s + variance_d).mul_(0.5 * covariance).add_(c2)
    contrast = variance_s.sub_(variance_d).mul_(0.5 * covariance).add_(c2).div_(contrast_below)
    return Terms(luminance, contrast, luminance_below, contrast_below, mean_s, mean_d, peak)


def band_gradient(
    x: Tensor, y: Tensor, terms: Terms, window: Window, of_ssim: Tensor, of_contrast: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients (of s, of d), P h w, given those of each plane's sums of SSIM and of contrast-structure, P 1 1."""
    of_l = of_ssim * terms.contrast
    of_cs = of_ssim * terms.luminance + of_contrast
    of_square_s = of_l * (1 - terms.luminance) / terms.luminance_below
    of_square_d = of_l * (-1 - terms.luminance) / terms.luminance_below
    half = 0.5 * window.covariance
    of_variance_s = half * of_cs * (1 - terms.contrast) / terms.contrast_below
    of_variance_d = half * of_cs * (-1 - terms.contrast) / terms.contrast_below
    of_mean_s = of_square_s * (terms.mean_s + terms.centre) - 2 * of_variance_s * terms.mean_s
    of_mean_d = of_square_d * terms.mean_d - 2 * of_variance_d * terms.mean_d
    pulled = torch.stack((of_mean_s, of_mean_d, of_variance_s, of_variance_d))
    # The window is symmetric: its adjoint is itself on the zero-padded maps.
    margin = window.size - 1
    mean_s, mean_d, power_s, power_d = window(F.pad(pulled, (margin,) * 4)).unbind(0)
    return mean_s.addcmul_(x + y - terms.centre, power_s, value=2), mean_d.addcmul_(x - y, power_d, value=2)


def ssim_map(x: Tensor, y: Tensor, window: Window, peak: float = 1.0) -> Tensor:
    """SSIM of every window that lies inside the picture: B C H-n+1 W-n+1 for a window of n x n; no gradient."""
    outside = window.size - 1
    result = x.new_empty(x.shape[0] * x.shape[1], x.shape[2] - outside, x.shape[3] - outside)
    with torch.no_grad():
        x, y, shape = x.flatten(0, 1), y.flatten(0, 1), x.shape[:2]
        for planes, rows, source in bands(x, window):
            terms = band_terms(x[planes, source], y[planes, source], window, peak)
            torch.mul(terms.luminance, terms.contrast, out=result[planes, rows])
    return result.unflatten(0, shape)
