"""What the probes of a training say together: an alarm where control falls, a notice where it never came."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

#: Probes of a median.
WINDOW = 3
#: Median slope from which control was there, and below which it never came.
CAME, NEVER = 0.3, 0.2
#: Share of the best median below which control fell, and the rank below which it did.
LEFT, ORDERED = 0.5, 0.5


@dataclass(frozen=True)
class Probed:
    """One probe: means over its scenes, NaN where none has a value.

    Attributes:
        step: optimiser steps done.
        slope, rank: of the dose response, 1 is right.
        responds: largest RMS difference of the outputs, in levels of 255.
        zero_psnr: aperture 0 against the input, dB.
        lvcorr: as papers print it; logged, and never listened to: it stays high when control is lost.
        loss: mean of the training loss since the probe before.
    """

    step: int
    slope: float
    rank: float
    responds: float
    zero_psnr: float
    lvcorr: float
    loss: float


def medians(probes: Sequence[Probed], name: str) -> list[float]:
    """Medians of three probes one after the other; what has no value counts as 0: there is no control to measure."""
    values = [0.0 if math.isnan(value) else value for value in (getattr(each, name) for each in probes)]
    return [median(values[end - WINDOW : end]) for end in range(WINDOW, len(values) + 1)]


def alarm(probes: Sequence[Probed]) -> str:
    """That control was there and fell, in a sentence; empty where it did not."""
    slopes, ranks, responses = (medians(probes, name) for name in ("slope", "rank", "responds"))
    if not slopes or max(slopes) < CAME:
        return ""
    lost = slopes[-1] < LEFT * max(slopes) or responses[-1] < LEFT * max(responses) or ranks[-1] < ORDERED
    if not lost:
        return ""
    best, last = probes[slopes.index(max(slopes)) + WINDOW - 1], probes[-1]
    loss = "fell" if last.loss < best.loss else "did not fall"
    return (
        f"Control fell: slope from {max(slopes):.2f} to {slopes[-1]:.2f}, rank {ranks[-1]:.2f}, response from "
        f"{max(responses):.1f} to {responses[-1]:.1f} levels in {last.step - best.step} steps while the loss {loss}: "
        "look at the aperture labels."
    )


def notice(probes: Sequence[Probed], stage: str) -> str:
    """That control never came, in a sentence, of a stage that is nearly over; empty where it did."""
    best = max(medians(probes, "slope"), default=math.nan)
    if not best < NEVER:
        return ""
    return (
        f"The stage {stage} is nearly over, and the blur does not follow the aperture (slope {best:.2f} at best): "
        "see whether its labels vary."
    )
