"""The sizes at which BokehMe renders one picture (released code)."""

import math
from dataclasses import dataclass

#: Pixels of blur that are 1 in network units, and the largest radius that the small rendering sees.
UNIT = 10.0


@dataclass(frozen=True)
class Passes:
    """From the small picture, in which no radius exceeds 10 px, to the full one.

    Attributes:
        shrink: how much smaller the first picture is, at least 1.
        low: its size (h, w).
        upsamplings: (scale, size) of each picture that the upsampling network makes; the last is the full one.
    """

    shrink: float
    low: tuple[int, int]
    upsamplings: tuple[tuple[float, tuple[int, int]], ...]

    @classmethod
    def of(cls, height: int, width: int, largest: float) -> "Passes":
        """For a picture of ``height`` x ``width`` whose largest radius, in units of 10 px, is ``largest``.

        Sizes are cut, not rounded, and at least 2 px (ours, where the released code fails).
        """
        shrink = max(1.0, largest)
        low = (max(int(height / shrink), 2), max(int(width / shrink), 2))
        scales = [2 ** (k + 1) / shrink for k in range(math.floor(math.log2(shrink)))]
        # A power of two reaches the full size here already and once more below, as in the released code
        middle = [(r, (max(int(r * height), 2), max(int(r * width), 2))) for r in scales]
        return cls(shrink, low, (*middle, (1.0, (height, width))))
