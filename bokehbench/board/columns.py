"""How each score is written in a table, which direction is better, and when two values count as the same."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Column:
    """One score.

    Attributes:
        name: as in a result's ``per_image``.
        label: heading.
        better: direction; ``"zero"`` = the nearer to 0 the better.
        decimals: shown.
        tolerance: a published value this near to ours counts as reproduced (half a unit of the published value's last
            digit is added).
    """

    name: str
    label: str
    better: Literal["higher", "lower", "zero"] = "higher"
    decimals: int = 4
    tolerance: float = 0.002

    def goodness(self, value: float) -> float:
        """Larger is better; NaN is worst."""
        if math.isnan(value):
            return -math.inf
        return {"higher": value, "lower": -value, "zero": -abs(value)}[self.better]

    def show(self, value: float, signed: bool = False) -> str:
        """``value`` with this column's decimals; a missing one is ``n/a``."""
        if math.isnan(value):
            return "n/a"
        text = f"{value:+.{self.decimals}f}" if signed else f"{value:.{self.decimals}f}"
        return text.replace("-0." + "0" * self.decimals, "0." + "0" * self.decimals)  # no minus zero


_FAMILIES = (
    Column("psnr", "PSNR (dB)", decimals=2, tolerance=0.05),
    Column("psnr_gain", "PSNR after gain (dB)", decimals=2, tolerance=0.05),
    Column("psnr_registered", "PSNR registered (dB)", decimals=2, tolerance=0.05),
    Column("psnr_registered_gain", "PSNR registered, gain (dB)", decimals=2, tolerance=0.05),
    Column("ssim", "SSIM"),
    Column("ssim_gaussian", "SSIM Gaussian"),
    Column("ms_ssim", "MS-SSIM"),
    Column("lpips", "LPIPS", "lower"),
    Column("depth_mae", "depth MAE", "lower"),
    Column("blur_amount", "blur amount", "zero", decimals=2, tolerance=0.05),
)


def find_column(name: str) -> Column:
    """The column of that name; ``psnr_in_focus`` is a PSNR, an unknown name a plain number that should be high."""
    for known in _FAMILIES:
        if name == known.name:
            return known
    for family in _FAMILIES:
        if name.startswith(f"{family.name}_"):
            return replace(family, name=name, label=f"{family.label}, {name[len(family.name) + 1 :].replace('_', ' ')}")
    return Column(name, name.replace("_", " "))
