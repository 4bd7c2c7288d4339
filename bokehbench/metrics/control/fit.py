"""The aperture and the focus that measured radii speak of: r = sqrt(r0^2 + (a (d - f))^2) (2.3, 2.5)."""

from dataclasses import dataclass

import numpy as np

#: Radii in px that may be left in the focal plane.
FLOORS = np.array([*np.arange(0, 3, 0.25), *range(3, 11)], float)


@dataclass(frozen=True)
class Fit:
    """For each of n focal planes tried: the mean distance of radii and curve (px), aperture and floor (px)."""

    residual: np.ndarray
    aperture: np.ndarray
    floor: np.ndarray


def fit(radii: np.ndarray, disparity: np.ndarray, focuses: np.ndarray, largest: float) -> Fit:
    """The curve nearest to measured radii, by the sum of absolute distances, for each focal plane in ``focuses``.

    The floor is free only where a bin lies in focus rather than out of it: with the nearest at most half as far from
    the focal plane as the farthest. Tried are the apertures that meet one of the radii, where such a sum is least.

    Args:
        radii: measured in B bins, px; no NaN.
        disparity: of the bins.
        focuses: n disparities.
        largest: aperture tried, px.
    """
    away = np.abs(disparity[None] - focuses[:, None])[:, None, None]  # n, floors, apertures, bins
    floors = FLOORS[None, :, None, None]
    lifted = np.sqrt(np.clip(radii**2 - floors**2, 0, None))
    tried = np.minimum(lifted / np.maximum(away, 1e-6), largest)
    tried = np.concatenate([np.zeros_like(tried[..., :1]), tried], -1).swapaxes(-1, -2)
    residual = np.abs(radii - np.sqrt(floors**2 + (tried * away) ** 2)).mean(-1)
    bound = away[:, 0, 0].min(-1) > away[:, 0, 0].max(-1) / 2
    residual[bound, 1:] = np.inf
    flat = residual.reshape(len(focuses), -1)
    best = flat.argmin(1)
    floor, aperture = np.unravel_index(best, residual.shape[1:])
    which = np.arange(len(focuses))
    return Fit(flat[which, best], tried[which, floor, aperture, 0], FLOORS[floor])
