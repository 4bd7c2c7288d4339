"""Matched strength: what a search for each picture's best aperture found, beside what the method was told.

A declared way to score, never the default: it asks whether a method *can* make the target's blur, and says nothing of
whether it does as it is told (docs/metrics/matched_strength.md).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

from bokehbench.counted import counted
from bokehbench.errors import check_options, within
from bokehbench.lazy import Tensor
from bokehbench.metrics.column import Column
from bokehbench.metrics.sample import Sample, Tried
from bokehbench.settings_files import check_shapes

#: Renderings of one picture, however the grid is made: a result from outside must not keep a machine busy for days.
MOST_RENDERINGS = 1000


@dataclass(frozen=True)
class MatchedStrength:
    """How the search goes: every point of a grid, then between the neighbours of the best.

    What the method was told is tried in any case, so that nothing scores below that.

    Args:
        aperture_shares: apertures of the grid as shares (0 to 0.5) of the photo's long side; by default 4, 8 to 24
            pixels at 320.
        focuses: disparities in focus of the grid, 0 to 1; empty: the focus stays as told.
        refine: renderings between the neighbours of the best aperture, and as many of the best focus, 0 to 100.

    Raises:
        BokehbenchError: a value out of its range, or a grid of more than :data:`MOST_RENDERINGS` points.
    """

    aperture_shares: tuple[float, ...] = (0.0125, 0.025, 0.0375, 0.05, 0.0625, 0.075)
    focuses: tuple[float, ...] = ()
    refine: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "aperture_shares", tuple(sorted({float(each) for each in self.aperture_shares})))
        object.__setattr__(self, "focuses", tuple(sorted({float(each) for each in self.focuses})))
        points = len(self.aperture_shares) * max(1, len(self.focuses))
        check_options(
            "--matched.",
            ("aperture_shares", self.aperture_shares, points > 0, "one or more"),
            *(within("aperture_shares", each, 0, 0.5) for each in self.aperture_shares),
            *(within("focuses", each, 0, 1) for each in self.focuses),
            ("aperture_shares", points, points <= MOST_RENDERINGS, f"a grid of {MOST_RENDERINGS} points or fewer"),
            within("refine", self.refine, 0, 100, "renderings"),
        )

    @classmethod
    def read(cls, settings: Mapping[str, Any], where: str) -> "MatchedStrength | None":
        """The search that a file names; None where it names none. BokehbenchError, with ``where``, for a wrong one."""
        check_shapes(settings, get_type_hints(cls), where)
        return cls(**settings) if settings else None

    def describe(self) -> dict[str, Any]:
        """Every choice as plain values, for the identity of a stored result."""
        return asdict(self)


def best(tried: Tried) -> tuple[float | None, float | None, float]:
    """Aperture, focus and SSIM of the best rendering; of equal ones the first, so what was told wins."""
    return max(tried, key=lambda each: each[2])


def at_rim(tried: Tried) -> bool:
    """Whether the best aperture is the smallest or the largest that was tried: a better one may lie beyond."""
    apertures = [each[0] for each in tried if each[0] is not None]
    return len(set(apertures)) > 1 and best(tried)[0] in (min(apertures), max(apertures))


def strength_error(tried: Tried) -> float:
    """log2 of the found over the told aperture; NaN where the method obeys none, or was told none."""
    told, found = tried[0][0], best(tried)[0]
    return math.log2(found / told) if told and found else math.nan


def told_and_found(pictures: Sequence[Tried]) -> str:
    """Apertures of a set as told and as found, in a sentence."""
    both = [(each[0][0], best(each)[0]) for each in pictures]
    known = [(told, found) for told, found in both if told is not None and found is not None]
    if not known:
        return "Strength matched: the method obeys no aperture, so none was searched."
    told, found = (math.fsum(values) / len(known) for values in zip(*known, strict=True))
    rim = sum(map(at_rim, pictures))
    said = f"told {told:.1f} px, found {found:.1f} px, {rim} at the rim"
    return f"Aperture, mean of {counted(len(known), 'picture')}: {said}."


def _of(read: Callable[[Tried], float]) -> Callable[[Sample], Tensor]:
    def compute(sample: Sample) -> Tensor:
        assert sample.tried is not None, "the columns need it"
        return sample.output.new_tensor([float(read(tried)) for tried in sample.tried])

    return compute


COLUMNS = (
    Column("ssim_told", "SSIM told", _of(lambda tried: tried[0][2]), "Gaussian SSIM as told", needs=("tried",)),
    Column("ssim_matched", "SSIM matched", _of(lambda tried: best(tried)[2]), "the best found", needs=("tried",)),
    Column("strength_error", "found / told, log2", _of(strength_error), "aperture: 1 is twice as much, 0 as told",
           "zero", 2, needs=("tried",)),
    Column("at_rim", "at the rim", _of(at_rim), "share of pictures whose best aperture is at an end of those tried",
           "lower", 2, needs=("tried",)),
)  # fmt: skip
