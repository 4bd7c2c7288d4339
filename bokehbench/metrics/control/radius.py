"""The blur radius of an output, read by blurring its input (docs/metrics/control.md, 2.2)."""

import numpy as np
from scipy.interpolate import CubicSpline

from bokehbench.metrics.control.places import Bin, centred

#: Mean squared difference by which blur must change a bin to be measured there.
TEXTURE = (2 / 255) ** 2


def measured_radius(output: np.ndarray, each: Bin, radii: np.ndarray) -> float:
    """Radius in px at which the blurred input is nearest to ``output`` (3 H W, encoded) in a bin.

    NaN where there is no texture, or where no blur of the input comes half as near as blur can move it.
    """
    if each.texture < TEXTURE:
        return float("nan")
    there = centred(output.reshape(3, -1)[:, each.pixels])
    errors = ((each.stack - there) ** 2).mean((1, 2), dtype=np.float64)
    spline = CubicSpline(radii, errors)
    places = np.concatenate([radii, spline.derivative().roots(extrapolate=False)])
    places = places[np.isfinite(places)]
    values = spline(places)
    best = int(values.argmin())
    return float(places[best]) if values[best] <= each.texture / 2 else float("nan")


def measured_radii(output: np.ndarray, found: list[Bin], radii: np.ndarray) -> np.ndarray:
    """:func:`measured_radius` of every bin."""
    return np.array([measured_radius(output, each, radii) for each in found])
