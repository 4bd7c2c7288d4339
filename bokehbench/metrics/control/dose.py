"""How much blur follows how much was asked for (docs/metrics/control.md, 2.3)."""

import math
import warnings

import numpy as np
from scipy.stats import linregress, spearmanr

from bokehbench.metrics.control.columns import NO_CHANGE, NO_RESPONSE, NO_TEXTURE
from bokehbench.metrics.control.fit import fit

#: RMS difference of outputs, in levels of 255, below which they are the same.
RESPONDS = 0.5
#: Pixels that the blur of the farthest bin must change.
CHANGES = 0.5
#: A told radius in px from which one is compared, and that the farthest bin must have at the largest aperture: below
#: 1 px exact pictures are not blurred at all.
COMPARED, WIDEST = 1.0, 2.0
NO_KNEE = "none: blur grows to the largest aperture"
NAMES = ("dose_slope", "dose_rank", "dose_knee", "dose_error")


def measured_apertures(
    radii: np.ndarray, disparity: np.ndarray, focus: float, largest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Aperture and floor in px that each output's radii speak of; NaN where it has none out of focus.

    Args:
        radii: outputs x bins, px, NaN = no value.
        disparity: of the bins.
        focus: disparity told.
        largest: aperture of the sweep; twice as much is believed.
    """
    found = []
    for row in radii:
        known = ~np.isnan(row)
        if not known.any() or largest * np.abs(disparity[known] - focus).max() < WIDEST:
            found.append((math.nan, math.nan))
            continue
        each = fit(row[known], disparity[known], np.array([focus]), 2 * largest)
        found.append((float(each.aperture[0]), float(each.floor[0])))
    apertures, floors = np.array(found).reshape(-1, 2).T
    return apertures, floors


def dose(
    told: np.ndarray, radii: np.ndarray, disparity: np.ndarray, focus: float, responds: float
) -> dict[str, float | str]:
    """:data:`NAMES` -> value, or why there is none.

    Args:
        told: n apertures, px, rising.
        radii: n x bins, px, NaN = no value.
        disparity: of the bins.
        focus: disparity told.
        responds: largest RMS difference of the outputs to the first, in levels.
    """
    if responds < RESPONDS:
        return dict.fromkeys(NAMES, NO_RESPONSE)
    measured, _ = measured_apertures(radii, disparity, focus, told.max())
    known = ~np.isnan(measured)
    if known.sum() < 3:
        return dict.fromkeys(NAMES, NO_TEXTURE)
    x, y = told[known], measured[known]
    away = np.abs(disparity - focus)
    rank: float | str = NO_CHANGE
    if np.ptp(y) * away[~np.isnan(radii).all(0)].max() >= CHANGES:
        rank = float(spearmanr(x, y).statistic)
    wanted = told[:, None] * away
    compared = np.abs(radii - wanted)[(wanted >= COMPARED) & ~np.isnan(radii)]
    return {
        "dose_slope": float(linregress(x, y).slope),
        "dose_rank": rank,
        "dose_knee": knee(x, y) if not isinstance(rank, str) and rank >= 0.5 else NO_KNEE,
        "dose_error": float(compared.mean()) if len(compared) else NO_TEXTURE,
    }


def knee(told: np.ndarray, measured: np.ndarray) -> float | str:
    """Aperture in px at which A = s min(K, k) bends, where that is clearly nearer than a line; else why not."""
    line = linregress(told, measured)
    straight = float(((measured - line.intercept - line.slope * told) ** 2).sum())
    best = (math.inf, math.nan)
    for k in np.arange(told.min() + 0.1, told.max(), 0.1):
        bent = np.minimum(told, k)
        s = float((bent * measured).sum() / (bent**2).sum())
        beyond = told > k
        if beyond.sum() < 2 or s <= 0:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two equal values have no correlation, and none is asked for
            after = float(linregress(told[beyond], measured[beyond]).slope)
        if after < s / 4:
            best = min(best, (float(((measured - s * bent) ** 2).sum()), float(k)))
    clear = math.sqrt(straight / len(told)) >= 0.5 and best[0] <= straight / 2
    return best[1] if clear else NO_KNEE
