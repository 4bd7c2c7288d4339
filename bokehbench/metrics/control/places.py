"""Where blur can be measured: pixels that no other depth, no clipped light and no frame edge reaches (2.2)."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

#: Neighbours that differ by more are of two surfaces.
JUMP = 0.02
#: Encoded value from which a channel may be clipped.
CLIPPED = 250 / 255
#: Pixels beyond a blur radius that count as reached.
GUARD = 2.0
#: Width in disparity of a bin, and the share of a picture's pixels that it must have.
WIDTH, SHARE = 0.05, 400 / 320**2


@dataclass(frozen=True)
class Bin:
    """Safe pixels of about one disparity.

    Attributes:
        disparity: their mean.
        pixels: their places in the flattened picture.
        stack: n 3 p, the blurred inputs there, each channel's mean removed.
        texture: mean squared difference of the sharpest and the widest of ``stack``.
    """

    disparity: float
    pixels: np.ndarray
    stack: np.ndarray
    texture: float


def neighbours(disparity: np.ndarray) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Places of the first and of the second of all pairs across and down of an H W map."""
    all_, first, second = slice(None), slice(None, -1), slice(1, None)
    return [((all_, first), (all_, second)), ((first, all_), (second, all_))]


def distance(to: np.ndarray) -> np.ndarray:
    """Pixels to the nearest place where the H W mask ``to`` is true; infinite where there is none."""
    return distance_transform_edt(~to) if to.any() else np.full(to.shape, np.inf)


def reaching(reach: np.ndarray) -> np.ndarray:
    """The widest of the blur radii ``reach`` (H W, px; -1 = none) that comes to each pixel, give or take the guard."""
    levels: np.ndarray = np.ceil(reach)  # one map of distances serves all radii between two whole numbers
    widest = np.full(reach.shape, -1.0)
    for level in np.unique(levels[reach >= 0]):
        there = np.asarray(levels == level)
        radius = reach[there].max()
        widest = np.where(distance(there) <= radius + GUARD, np.maximum(widest, radius), widest)
    return widest


def safe(image: np.ndarray, disparity: np.ndarray, focus: float, aperture: float) -> np.ndarray:
    """H W mask of pixels whose blur at ``aperture`` px and below is that of their own surface alone.

    Args:
        image: 3 H W, encoded, [0, 1].
        disparity: H W in [0, 1], true.
        focus: disparity in focus.
        aperture: largest of the sweep, px.
    """
    radius = aperture * np.abs(disparity - focus)
    reach = np.full(disparity.shape, -1.0)  # of what lies at a jump: the larger radius of both sides
    for one, other in neighbours(disparity):
        jump = np.abs(disparity[one] - disparity[other]) > JUMP
        larger = np.where(jump, np.maximum(radius[one], radius[other]), -1.0)
        reach[one], reach[other] = np.maximum(reach[one], larger), np.maximum(reach[other], larger)
    fine = (reaching(reach) < 0) & (distance(np.any(image >= CLIPPED, axis=0)) > radius + GUARD)
    rows, columns = (np.minimum(np.arange(n), n - 1 - np.arange(n)) + 1 for n in disparity.shape)
    return fine & (np.minimum(rows[:, None], columns[None, :]) > radius)


def centred(values: np.ndarray) -> np.ndarray:
    """... p less their mean over p."""
    return values - values.mean(-1, keepdims=True)


def bins(where: np.ndarray, disparity: np.ndarray, pictures: np.ndarray) -> list[Bin]:
    """The bins of disparity that have enough pixels of the H W mask ``where``; ``pictures`` is the stack, n 3 H W."""
    number = np.floor(disparity / WIDTH + 1e-6).astype(int)
    found = []
    for each in np.unique(number[where]):
        pixels = np.flatnonzero(where & (number == each))
        if len(pixels) < SHARE * where.size:
            continue
        values = centred(pictures.reshape(*pictures.shape[:2], -1)[:, :, pixels])
        texture = float(((values[0] - values[-1]) ** 2).mean())
        found.append(Bin(float(disparity.ravel()[pixels].mean()), pixels, values, texture))
    return found
