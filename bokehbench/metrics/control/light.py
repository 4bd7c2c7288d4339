"""What becomes of light: equal at aperture 0, kept out of sharp borders, kept in highlights (2.4, 2.6, 2.7)."""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from bokehbench.metrics.control.places import GUARD, JUMP, neighbours, reaching
from bokehbench.metrics.control.radius import TEXTURE
from bokehbench.optics.linear_light import to_linear

#: Mean squared error of rounding to 8 bits.
ROUNDING = (1 / 255) ** 2 / 12
#: Fewest pixels of a border that are measured, and the blur radius in px below which a side is sharp.
FEWEST, SHARP = 100, 1.0
#: dB from which an output at aperture 0 is its input times a number.
GAIN = 40.0


def linear(picture: np.ndarray) -> np.ndarray:
    """Encoded values in [0, 1] as light."""
    return to_linear(torch.from_numpy(np.ascontiguousarray(picture, np.float32))).numpy()


def zero_psnr(output: np.ndarray, image: np.ndarray) -> float:
    """dB of the output at aperture 0 against the input (8 bits each); equal pictures have 58.9."""
    return float(-10 * np.log10(((output - image) ** 2).mean(dtype=np.float64) + ROUNDING))


def gain(zero: np.ndarray, image: np.ndarray) -> float:
    """The number in linear light that makes the output at aperture 0 of the input; 1 where none does to 40 dB."""
    made, given = linear(zero).astype(float), linear(image).astype(float)
    found = float((made * given).sum() / max((given**2).sum(), 1e-12))
    error = ((made / max(found, 1e-6) - given) ** 2).mean()
    return found if -10 * np.log10(error + 1e-12) >= GAIN else 1.0


def border(disparity: np.ndarray, focus: float, aperture: float) -> tuple[np.ndarray, np.ndarray]:
    """The sharp pixels (H W mask) that blur of a farther neighbour could reach, and that neighbour's radius (H W, px).

    Of several that reach a pixel the one with the widest blur counts.
    """
    radius = aperture * np.abs(disparity - focus)
    far, near = np.full(disparity.shape, -1.0), np.full(disparity.shape, -1.0)
    for one, other in neighbours(disparity):
        for here, there in ((one, other), (other, one)):
            jump = disparity[there] - disparity[here] > JUMP  # ``here`` is the farther pixel of the pair
            far[here] = np.where(jump, radius[here], far[here])
            near[there] = np.where(jump, np.maximum(near[there], radius[there]), near[there])
    widest = reaching(far)
    band = (radius < SHARP) & (widest > 0) & (reaching(np.where(near < SHARP, -1.0, near)) < 0)
    if band.any():
        away, nearest = distance_transform_edt(far < 0, return_indices=True)
        band &= (disparity[tuple(nearest)] < disparity - JUMP) & (away > GUARD + 1)
    return band, widest


def leak(
    output: np.ndarray, image: np.ndarray, disparity: np.ndarray, focus: float, aperture: float,
    stack: tuple[np.ndarray, np.ndarray], scale: float = 1.0,
) -> float | str:  # fmt: skip
    """Share of the blurred side's light that lies on the sharp side of a border, 0 = none; or why it is not known.

    Args:
        output, image: 3 H W, encoded, [0, 1].
        disparity: H W, true.
        focus: told.
        aperture: told, px.
        stack: radii and blurred inputs of :func:`~bokehbench.metrics.control.stack.stack`.
        scale: :func:`gain`.
    """
    band, radius = border(disparity, focus, aperture)
    if band.sum() < FEWEST:
        return "no border in focus"
    radii, pictures = stack
    places = np.flatnonzero(band)
    above = np.clip(np.searchsorted(radii, radius.ravel()[places]), 1, len(radii) - 1)
    share = (radius.ravel()[places] - radii[above - 1]) / (radii[above] - radii[above - 1])
    values = pictures.reshape(len(radii), 3, -1)
    lower, upper = (linear(values[level, :, places].T) for level in (above - 1, above))
    light = linear(image.reshape(3, -1)[:, places])
    spread = (1 - share) * lower + share * upper - light
    if (spread**2).mean() < TEXTURE:
        return "no contrast at the border"
    got = linear(output.reshape(3, -1)[:, places]) / scale - light
    return float((got * spread).sum() / (spread**2).sum())


def highlight_energy(output: np.ndarray, image: np.ndarray, lamps: np.ndarray, radius: float) -> float:
    """Light of small lamps in the output over that in the input, beside that of the wall; 1 = all of it.

    Args:
        output, image: 3 H W, encoded.
        lamps: n 2, row and column of each.
        radius: told of the lamps' blur, px; windows reach 4 px farther.
    """
    reach = int(np.ceil(radius)) + 4
    made, given = linear(output).astype(float), linear(image).astype(float)
    outside = np.ones(image.shape[-2:], bool)
    windows = [(slice(None), slice(y - reach, y + reach + 1), slice(x - reach, x + reach + 1)) for y, x in lamps]
    for window in windows:
        outside[window[1:]] = False
    walls = [np.median(picture[:, outside], 1)[:, None, None] for picture in (made, given)]
    shares = [(made[window] - walls[0]).sum() / (given[window] - walls[1]).sum() for window in windows]
    return float(np.mean(shares))
