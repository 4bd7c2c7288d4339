"""From votes to shares, strengths and agreement."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bokehbench.board import statistics
from bokehbench.errors import BokehbenchError
from bokehbench.study import bradley_terry
from bokehbench.study.binomial import Share, share
from bokehbench.study.key import Key
from bokehbench.study.krippendorff import agreement, paired_alpha
from bokehbench.study.votes import Rater

#: Draws of raters, the first of those that boards have: each is a fit of all strengths.
RESAMPLES = 2000


@dataclass(frozen=True)
class PairResult:
    """Two methods: ``share`` of the decided votes that chose ``first``, ``ties`` apart.

    ``low`` and ``high``: 95 % interval by drawing raters (NaN with one rater). ``p_holm``: the exact test's p after
    Holm's correction for all pairs that were judged.
    """

    first: str
    second: str
    share: Share
    ties: int
    low: float
    high: float
    p_holm: float


@dataclass(frozen=True)
class Strength:
    """A method's Bradley-Terry strength (log scale, mean 0), its interval by drawing raters, and ``mark``: what the
    votes leave open."""

    method: str
    strength: float
    low: float
    high: float
    won: int
    lost: int
    ties: int
    mark: str


@dataclass(frozen=True)
class Analysis:
    """Everything that is reported; ``excluded`` raters are in ``raters`` but in no other number."""

    key: Key
    raters: tuple[Rater, ...]
    excluded: tuple[str, ...]
    pairs: tuple[PairResult, ...]
    strengths: tuple[Strength, ...]
    joined: bool
    left: Share
    votes: int
    ties: int
    alpha: float
    agreement: float
    couples_units: int
    repeats: int
    same: int


def analyse(key: Key, raters: Sequence[Rater], excluded: Sequence[str] = ()) -> Analysis:
    """Count, model and test; votes of the raters ``excluded`` (ids) do not count.

    Raises:
        BokehbenchError: no votes are left.
    """
    counted = [rater for rater in raters if rater.id not in set(excluded)]
    judgements = [judgement for rater in counted for judgement in rater.judgements]
    if not judgements:
        raise BokehbenchError("no votes are left to analyse: give votes of this study, or exclude fewer raters.")
    wins, ties = _count(key, counted)
    by_pair = defaultdict(list)
    for each in judgements:
        by_pair[each.picture, each.first, each.second].append(each.value)
    units = list(by_pair.values())
    sides = [judgement.side for judgement in judgements]
    left = sides.count("left")
    return Analysis(
        key=key,
        raters=tuple(raters),
        excluded=tuple(rater.id for rater in raters if rater.id in set(excluded)),
        pairs=_pairs(key, wins, ties),
        strengths=_strengths(key, wins, ties),
        joined=bradley_terry.connected((wins + wins.swapaxes(1, 2) + ties).sum(0)),
        left=share(left, left + sides.count("right")),
        votes=len(judgements),
        ties=sides.count("none"),
        alpha=paired_alpha(units),
        agreement=agreement(units),
        couples_units=sum(len(unit) > 1 for unit in units),
        repeats=sum(rater.repeats for rater in counted),
        same=sum(rater.same for rater in counted),
    )


def _count(key: Key, raters: Sequence[Rater]) -> tuple[np.ndarray, np.ndarray]:
    """(raters, M, M) wins of row over column, and ties (symmetric)."""
    at = {method: index for index, method in enumerate(key.methods)}
    counts = np.zeros((3, len(raters), len(at), len(at)))  # by value: 0, 1, and -1, which is the last
    for number, rater in enumerate(raters):
        for judgement in rater.judgements:
            counts[judgement.value, number, at[judgement.first], at[judgement.second]] += 1
    return counts[1] + counts[-1].swapaxes(1, 2), counts[0] + counts[0].swapaxes(1, 2)


def _pairs(key: Key, wins: np.ndarray, ties: np.ndarray) -> tuple[PairResult, ...]:
    low, high = limits(share_draws(wins), len(wins))
    total, undecided = wins.sum(0), ties.sum(0)
    found = list(combinations(range(len(key.methods)), 2))
    shares = [share(int(total[i, j]), int(total[i, j] + total[j, i])) for i, j in found]
    tested = [at for at, each in enumerate(shares) if each.decided]
    corrected = dict(zip(tested, statistics.holm([shares[at].p for at in tested]), strict=True))
    return tuple(
        PairResult(
            key.methods[i], key.methods[j], shares[at], int(undecided[i, j]),
            float(low[i, j]), float(high[i, j]), corrected.get(at, 1.0),
        )
        for at, (i, j) in enumerate(found)
    )  # fmt: skip


def _strengths(key: Key, wins: np.ndarray, ties: np.ndarray) -> tuple[Strength, ...]:
    values = bradley_terry.strengths(wins.sum(0), ties.sum(0))
    low, high = limits(strength_draws(wins, ties), len(wins))
    total, undecided = wins.sum(0), ties.sum(0).sum(1)
    unbeaten, never = bradley_terry.unbeaten(total), bradley_terry.unbeaten(total.T)
    marks = np.where(unbeaten, "never beaten", np.where(never, "never chosen", ""))
    rows = [
        Strength(
            method, float(values[i]), float(low[i]), float(high[i]),
            int(total[i].sum()), int(total[:, i].sum()), int(undecided[i]), str(marks[i]),
        )
        for i, method in enumerate(key.methods)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: -row.strength))


# Intervals by drawing raters: a rater's votes are alike, so raters and not votes are the independent units. ----------


def strength_draws(wins: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """(RESAMPLES, M) strengths for ``wins`` and ``ties`` of shape (raters, M, M)."""
    drawn = _draws(len(wins))
    return bradley_terry.strengths(np.tensordot(drawn, wins, 1), np.tensordot(drawn, ties, 1))


def share_draws(wins: np.ndarray) -> np.ndarray:
    """(RESAMPLES, M, M) shares of decided votes for ``wins`` of shape (raters, M, M); NaN where a draw has none."""
    drawn = np.tensordot(_draws(len(wins)), wins, 1)
    met = drawn + drawn.swapaxes(-1, -2)
    return np.divide(drawn, met, out=np.full_like(drawn, np.nan), where=met > 0)


def limits(draws: np.ndarray, raters: int) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over the first axis; NaN with fewer than two raters, who cannot be drawn."""
    return statistics.limits(draws if raters > 1 else np.full_like(draws, np.nan))


def _draws(raters: int) -> np.ndarray:
    return statistics.resampled_counts(raters)[:RESAMPLES].astype(np.float64)
