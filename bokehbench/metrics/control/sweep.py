"""One scene and focal plane under many apertures: pictures come in one by one, curves stay."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bokehbench.metrics.control.columns import NO_RESPONSE
from bokehbench.metrics.control.dose import RESPONDS, dose, measured_apertures
from bokehbench.metrics.control.focus import APERTURES, NOT_LOCATED, enough, locate
from bokehbench.metrics.control.light import gain, leak
from bokehbench.metrics.control.lvcorr import correlation, laplacian_variance, lvcorr
from bokehbench.metrics.control.places import Bin, bins, safe
from bokehbench.metrics.control.radius import TEXTURE, measured_radii

#: Apertures in px of the leak.
LEAK_AT = (8.0, 16.0)
Stack = tuple[np.ndarray, np.ndarray]


@dataclass
class Sweep:
    """Outputs of rising apertures for one input and focus.

    Attributes:
        image: 3 H W in [0, 1], encoded, 8-bit values.
        disparity: H W in [0, 1], true.
        focus: disparity told.
        stack: radii and blurred inputs.
        largest: aperture of the sweep, px.
        zero: output at aperture 0, where there is one.
        leaks: whether what lies in focus is in front, so that the leak says something.
    """

    image: np.ndarray
    disparity: np.ndarray
    focus: float
    stack: Stack
    largest: float
    zero: np.ndarray | None = None
    leaks: bool = True
    told: list[float] = field(default_factory=list)
    variances: list[float] = field(default_factory=list)
    wanted: list[float] = field(default_factory=list)
    radii: list[np.ndarray] = field(default_factory=list)
    responds: float = 0.0
    leaked: dict[str, float | str] = field(default_factory=dict)
    bins: list[Bin] = field(init=False)
    places: np.ndarray = field(init=False)
    focus_at: float = field(init=False)
    """Aperture at which the focal plane is looked for; NaN = the sweep has none that wide."""
    focus_bins: list[Bin] = field(init=False)
    focus_places: np.ndarray = field(init=False)
    focus_radii: np.ndarray | None = None
    first: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.bins = bins(safe(self.image, self.disparity, self.focus, self.largest), self.disparity, self.stack[1])
        self.places = np.array([each.disparity for each in self.bins])
        self.focus_at, self.focus_bins, self.focus_places = math.nan, [], np.zeros(0)
        for aperture in APERTURES if self.largest >= APERTURES[0] else ():
            if enough(self.focus_places):
                break
            found = bins(safe(self.image, self.disparity, self.focus, aperture), self.disparity, self.stack[1])
            self.focus_at, self.focus_bins = aperture, [each for each in found if each.texture >= TEXTURE]
            self.focus_places = np.array([each.disparity for each in self.focus_bins])

    def add(self, aperture: float, output: np.ndarray, target: np.ndarray | None = None) -> None:
        """The output (3 H W, 8-bit values in [0, 1]) of an aperture in px; rising from call to call."""
        self.told.append(aperture)
        self.variances.append(laplacian_variance(output))
        if target is not None:
            self.wanted.append(laplacian_variance(target))
        self.radii.append(measured_radii(output, self.bins, self.stack[0]))
        if aperture == self.focus_at:
            self.focus_radii = measured_radii(output, self.focus_bins, self.stack[0])
        self.first = output if self.first is None else self.first
        self.responds = max(self.responds, float(255 * np.sqrt(((output - self.first) ** 2).mean(dtype=np.float64))))
        if self.leaks and aperture in LEAK_AT:
            scale = 1.0 if self.zero is None else gain(self.zero, self.image)
            found = leak(output, self.image, self.disparity, self.focus, aperture, self.stack, scale)
            self.leaked[f"leak_{aperture:g}"] = found

    def scores(self) -> dict[str, float | str]:
        """Column -> value, or why there is none; the sweep is over."""
        told, variances = np.array(self.told), np.array(self.variances)
        found = dose(told, np.array(self.radii), self.places, self.focus, self.responds)
        still = self.responds < RESPONDS
        found["lvcorr"] = NO_RESPONSE if still else lvcorr(told, variances)
        if len(self.wanted) == len(told):
            found["lvcorr_reference"] = NO_RESPONSE if still else correlation(variances, np.array(self.wanted))
        if self.focus_radii is not None:
            plane = locate(self.focus_radii, self.focus_places, self.focus_at)
            found["focus_error_scenes"] = NOT_LOCATED if plane is None else abs(plane[0] - self.focus)
        return found | self.leaked

    def curves(self) -> dict[str, Any]:
        """What figures draw: apertures told and measured, floors, Laplacian variances, the response in levels.

        Besides, the disparities and radii that the focal plane was read from, and the aperture that they are of.
        """
        apertures, floors = measured_apertures(np.array(self.radii), self.places, self.focus, self.largest)
        found: dict[str, Any] = {
            "K": self.told, "A": apertures.tolist(), "r0": floors.tolist(), "lv": self.variances,
            "responds": self.responds,
        }  # fmt: skip
        if self.focus_radii is not None:
            found |= {"focus_at": self.focus_at, "d": self.focus_places, "r": self.focus_radii}
        return found

    def lines(self) -> list[dict[str, float]]:
        """One for each aperture and bin: disparity, pixels, texture, radius told and measured in px."""
        return [
            {"K": told, "d": each.disparity, "pixels": len(each.pixels), "texture": each.texture,
             "told": told * abs(each.disparity - self.focus), "measured": float(radius)}
            for told, row in zip(self.told, self.radii, strict=True)
            for each, radius in zip(self.bins, row, strict=True)
        ]  # fmt: skip


def chart_focus(
    output: np.ndarray, image: np.ndarray, disparity: np.ndarray, focus: float, aperture: float, ruler: Stack
) -> tuple[dict[str, float | str], dict[str, Any]]:
    """The columns of one chart, and its curve; arguments as the attributes of :class:`Sweep`."""
    found = bins(safe(image, disparity, focus, aperture), disparity, ruler[1])
    radii, places = measured_radii(output, found, ruler[0]), np.array([each.disparity for each in found])
    plane = locate(radii, places, aperture)
    scores: dict[str, float | str] = dict.fromkeys(("focus_error", "focus_floor"), NOT_LOCATED)
    if plane is not None:
        scores = {"focus_error": abs(plane[0] - focus), "focus_floor": plane[1]}
    return scores | {"focus_located": float(plane is not None)}, {"d": places, "r": radii}
