"""Where an output is in focus, whatever was told (docs/metrics/control.md, 2.5)."""

import numpy as np

from bokehbench.metrics.control.fit import fit

#: Focal planes tried.
FOCUSES = np.arange(-0.1, 1.1 + 1e-9, 0.005)
#: Focal planes whose curve is so near to the nearest (px) must span no more than this.
AS_NEAR, SPAN = 0.15, 0.3
#: Blur in px that the bins must differ by.
DIFFERENCE = 1.0
#: Fewest bins, and the disparity that they must span.
FEWEST, SPREAD = 3, 0.2
#: Apertures in px at which the focal plane of a scene is looked for: the widest that leaves it enough bins.
APERTURES = (16.0, 12.0, 8.0, 4.0)
NOT_LOCATED = "no focal plane found"


def enough(disparity: np.ndarray) -> bool:
    """Whether bins of these disparities can speak of a focal plane."""
    return len(disparity) >= FEWEST and float(np.ptp(disparity)) >= SPREAD


def locate(radii: np.ndarray, disparity: np.ndarray, aperture: float) -> tuple[float, float] | None:
    """Disparity of the focal plane that measured radii speak of, and the blur radius left in it in px.

    None where they speak of none, or of none in particular.

    Args:
        radii: B, px, NaN = no value.
        disparity: of the bins.
        aperture: told, px; twice as much is believed.
    """
    known = ~np.isnan(radii)
    radii, disparity = radii[known], disparity[known]
    if not enough(disparity):
        return None
    each = fit(radii, disparity, FOCUSES, 2 * aperture)
    best = int(each.residual.argmin())
    near = FOCUSES[each.residual <= each.residual[best] + AS_NEAR]
    if np.ptp(near) > SPAN or each.aperture[best] * np.ptp(disparity) < DIFFERENCE:
        return None
    return float(FOCUSES[best]), float(each.floor[best])
