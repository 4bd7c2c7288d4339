"""LVCorr, the number that papers print (docs/metrics/control.md, 2.1). Weak: edges and noise move it, too."""

import numpy as np
from scipy.ndimage import convolve

KERNEL = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float)
BT601 = np.array([0.299, 0.587, 0.114])


def laplacian_variance(picture: np.ndarray) -> float:
    """Variance of the Laplacian (4 neighbours, border mirrored without repeating) of BT.601 luma in levels of 255."""
    luma = np.tensordot(BT601, np.asarray(picture, float) * 255, 1)
    return float(convolve(luma, KERNEL, mode="mirror").var())


def correlation(one: np.ndarray, other: np.ndarray) -> float | str:
    """Pearson's, or why there is none."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return "constant"
    return float(np.corrcoef(one, other)[0, 1])


def lvcorr(apertures: np.ndarray, variances: np.ndarray) -> float | str:
    """Minus Pearson's correlation of aperture and Laplacian variance: 1 = the wider, the less detail. Without K = 0."""
    found = correlation(apertures, variances)
    return found if isinstance(found, str) else -found
