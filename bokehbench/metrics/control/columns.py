"""The columns of control. They are of sweeps of apertures, which ``test --control`` renders. Starts without torch."""

import math
from functools import partial

from bokehbench.lazy import Tensor
from bokehbench.metrics.column import Column, NotMeasuredError
from bokehbench.metrics.sample import Sample

#: Reasons that several instruments give.
NO_RESPONSE = "does not respond to the aperture"
NO_TEXTURE = "no texture out of focus"
NO_CHANGE = "blur does not change"


def _read(name: str, sample: Sample) -> Tensor:
    assert sample.control is not None, "a column that needs a sweep says so in its needs"
    value = sample.control.get(name, math.nan)  # this picture is not what it is measured on
    if isinstance(value, str):
        raise NotMeasuredError(value)
    return sample.output.new_full((len(sample.output),), value)


COLUMNS = tuple(
    Column(
        name, label, partial(_read, name), about, better, decimals,  # type: ignore[arg-type]
        needs=("control",), may_lack=True, median=name == "dose_knee",
    )
    for name, label, better, decimals, about in (
        ("dose_slope", "dose slope", "one", 2, "measured aperture over the aperture told, least squares; 1 is right"),
        ("dose_rank", "dose rank", "one", 2, "rank correlation of measured aperture and aperture told; 1 is right"),
        ("dose_knee", "knee", "higher", 1, "aperture in px above which blur grows no more; none is right"),
        ("dose_error", "error", "lower", 2, "mean difference of measured and told blur radius, px"),
        ("zero_psnr", "PSNR at 0", "higher", 1, "aperture 0 against the input, dB; 58.9 is equal"),
        ("focus_error", "focus error", "lower", 3, "measured less told disparity in focus, on charts"),
        ("focus_located", "located", "higher", 2, "share of charts on which a focal plane was found"),
        ("focus_error_scenes", "focus error, scenes", "lower", 3, "measured less told disparity in focus, on scenes"),
        ("focus_floor", "floor", "lower", 2, "blur radius left in the focal plane of charts, px"),
        ("leak_8", "leak 8", "zero", 2, "light of the blurred side on the sharp side of a border, aperture 8 px"),
        ("leak_16", "leak 16", "zero", 2, "the same, aperture 16 px"),
        ("highlight_energy_4", "lamps 4", "one", 2, "light of lamps blurred to 4 px over that put in; 1 is right"),
        ("highlight_energy_8", "lamps 8", "one", 2, "the same, blurred to 8 px"),
        ("lvcorr_reference", "LVCorr, reference", "higher", 2, "correlation of Laplacian variances with the target's"),
        ("lvcorr", "LVCorr", "higher", 2, "minus the correlation of aperture and Laplacian variance; weak"),
    )
)  # fmt: skip
