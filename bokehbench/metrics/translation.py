"""The shift between two pictures of the same scene, to a fraction of a pixel."""

import math

from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.luma import luma

ITERATIONS = 6


def translate(image: Tensor, down: float, right: float, margin: int) -> Tensor:
    """Move a picture by (down, right) pixels and return its inside: ... H W to ... H-2m W-2m.

    Cubic convolution (Keys 1981, a = -1/2), separable. Both shifts must be at most ``margin`` - 2 in size, so that no
    pixel is invented.
    """
    for axis, shift in ((-2, down), (-1, right)):
        start = math.floor(-shift)
        length = image.shape[axis] - 2 * margin
        taps = _keys(-shift - start)
        parts = [image.narrow(axis, margin + start - 1 + k, length) * tap for k, tap in enumerate(taps) if tap]
        image = torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]
    return image


def _keys(t: float) -> tuple[float, float, float, float]:
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


def correlation_peak(moving: Tensor, fixed: Tensor, reach: int) -> tuple[int, int]:
    """Whole-pixel shift (down, right), at most ``reach``, with the largest correlation coefficient, of two H W maps.

    Exhaustive: every shift is compared over the same inside of ``fixed`` (sums by FFT). Phase correlation is cheaper,
    but its whitened spectrum is ruled by the few edges that stay sharp in a bokeh picture.
    """
    inside = fixed[reach:-reach, reach:-reach]
    inside = inside - inside.mean()
    moving = moving - moving.mean()
    size = moving.shape
    spectra = [torch.fft.rfft2(m, s=size) for m in (inside, torch.ones_like(inside))]
    product, total, power = (
        torch.fft.irfft2(torch.fft.rfft2(m) * kernel.conj(), s=size)[: 2 * reach + 1, : 2 * reach + 1]
        for m, kernel in ((moving, spectra[0]), (moving, spectra[1]), (moving * moving, spectra[1]))
    )
    variance = (power - total**2 / inside.numel()).clamp_min(1e-9 * inside.numel())
    peak = int((product / variance.sqrt()).argmax())
    return reach - peak // (2 * reach + 1), reach - peak % (2 * reach + 1)


def estimate_shift(moving: Tensor, fixed: Tensor, reach: int) -> tuple[float, float]:
    """Shift (down, right) in pixels that moves one picture onto another, each component at most ``reach``.

    The best whole-pixel shift, refined by Gauss-Newton steps (Lucas and Kanade 1981) on brightness with a free
    gain and offset, so that another exposure does not pull the shift.

    Args:
        moving, fixed: C H W, RGB in [0, 1], at least 2 reach + 16 pixels on each side.
    """
    one, two, margin = luma(moving), luma(fixed), reach + 2
    shift = torch.tensor(correlation_peak(one, two, reach), dtype=torch.float64)
    wanted = two[margin + 1 : -margin - 1, margin + 1 : -margin - 1].flatten().double()
    best, least = (0.0, 0.0), math.inf
    for _ in range(ITERATIONS):
        moved = translate(one, float(shift[0]), float(shift[1]), margin)
        inside = moved[1:-1, 1:-1].flatten().double()
        slope_y = (moved[2:, 1:-1] - moved[:-2, 1:-1]).flatten().double() / 2
        slope_x = (moved[1:-1, 2:] - moved[1:-1, :-2]).flatten().double() / 2
        columns = torch.stack((-slope_y, -slope_x, inside, torch.ones_like(inside)))
        gram, right = (columns @ columns.T).cpu(), (columns @ wanted).cpu()
        fit = torch.linalg.pinv(gram, hermitian=True) @ right
        offsets = torch.linalg.pinv(gram[2:, 2:], hermitian=True) @ right[2:]
        error = float((wanted @ wanted).cpu() - offsets @ right[2:])
        if error < least:
            best, least = (float(shift[0]), float(shift[1])), error
        step = fit[:2] / fit[2].clamp_min(1e-3)
        shift = (shift + step.clamp(-1, 1)).clamp(-reach, reach)
        if float(step.abs().max()) < 2e-3:
            break
    return best
