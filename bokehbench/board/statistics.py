"""What a difference of means is worth: bootstrap intervals, and paired tests on per-image differences.

Bokeh scores vary far more between pictures than between methods: on Val294 the interval of one mean is 0.9 dB wide, as
wide as the published table. Only paired comparisons on the same pictures tell methods apart.
"""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bokehbench.errors import BokehbenchError

RESAMPLES = 10_000
SEED = 20260000
LEVEL = 0.95
#: Resamples that are averaged in one product.
BLOCK = 500


@dataclass(frozen=True)
class Interval:
    """A mean over pictures and its 95 % bootstrap interval (percentile method).

    Attributes:
        mean, low, high: NaN without pictures; low and high are NaN with fewer than two. Of a column that is shown by
            its median ``mean`` is that, and it has no low and high.
        count: number of pictures.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same pictures, ``a`` minus ``b``.

    Attributes:
        difference: mean difference and its interval.
        wins, ties, losses: pictures on which ``a`` is higher, equal (to 1e-6), lower.
        p_bootstrap: two-sided, from the share of resampled mean differences on the other side of 0.
        p_wilcoxon: two-sided signed-rank test (zero differences dropped, normal approximation above 25 pictures).
        skipped: pictures that only one of the two has.
    """

    difference: Interval
    wins: int
    ties: int
    losses: int
    p_bootstrap: float
    p_wilcoxon: float
    skipped: int

    @property
    def real(self) -> bool:
        """Whether both tests reject equality at 5 %."""
        return max(self.p_bootstrap, self.p_wilcoxon) < 1 - LEVEL


@lru_cache(maxsize=4)
def resampled_counts(size: int) -> np.ndarray:
    """How often each of ``size`` values is in each draw with replacement: (RESAMPLES, size) uint8, always the same.

    A product with this is 20 times faster than gathering values, and boards draw a lot.
    """
    # The legacy generator: the only one of NumPy whose stream is promised never to change, and `check` compares bytes.
    random, counts = np.random.RandomState(SEED), np.empty((RESAMPLES, size), np.uint8)
    for start in range(0, RESAMPLES, BLOCK):
        draws = random.randint(0, size, (BLOCK, size)) + size * np.arange(BLOCK)[:, None]
        counts[start : start + BLOCK] = np.bincount(draws.ravel(), minlength=BLOCK * size).reshape(BLOCK, size)
    return counts


def resampled_means(values: np.ndarray) -> np.ndarray:
    """Means of :data:`RESAMPLES` draws with replacement, always the same draws for the same number of values."""
    counts = resampled_counts(len(values))
    blocks = [counts[start : start + BLOCK] @ values for start in range(0, RESAMPLES, BLOCK)]
    return np.concatenate(blocks) / len(values)


def limits(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the percentile interval over the first axis of bootstrap draws; NaN where no draw has a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what is NaN in every draw stays so
        low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def mean(values: Iterable[float]) -> float:
    """Mean of per-image values without an interval; NaN without values, infinite with a perfect picture."""
    numbers = [value for value in values if not math.isnan(value)]
    return math.fsum(numbers) / len(numbers) if numbers else math.nan


def median(values: Iterable[float]) -> float:
    """Median of per-image values; NaN without values."""
    numbers = [value for value in values if not math.isnan(value)]
    return float(np.median(numbers)) if numbers else math.nan


def interval(values: Sequence[float], groups: Sequence[str] | None = None) -> Interval:
    """Mean of per-image values and its interval; infinite values (perfect pictures) make the mean infinite.

    Args:
        values: NaN is left out.
        groups: of the values: whole groups are drawn, since what is in one is alike; None = each value is one.
    """
    numbers = np.asarray([value for value in values if not math.isnan(value)], dtype=np.float64)
    if len(numbers) < 2 or not np.isfinite(numbers).all():
        return Interval(mean(numbers), math.nan, math.nan, len(numbers))
    low, high = limits(resampled_means(numbers) if groups is None else _grouped_means(values, groups))
    return Interval(mean(numbers), float(low), float(high), len(numbers))


def _grouped_means(values: Sequence[float], groups: Sequence[str]) -> np.ndarray:
    """Means of draws of whole groups; NaN where there is one group only, which says nothing of others."""
    sums: dict[str, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        if not math.isnan(value):
            sums.setdefault(group, []).append(value)
    if len(sums) < 2:
        return np.full(RESAMPLES, math.nan)
    totals = np.array([[math.fsum(each), len(each)] for each in sums.values()])
    means = resampled_means(totals[:, 0]) / resampled_means(totals[:, 1])
    return np.asarray(means)


def compare(a: Mapping[str, float], b: Mapping[str, float]) -> Comparison:
    """The paired comparison of two ``{picture: value}``.

    Pictures on which both are infinite are ties; a picture on which one is infinite cannot be averaged.

    Raises:
        BokehbenchError: no picture in common, or an infinite difference.
    """
    gaps = differences(a, b)
    means = resampled_means(gaps)
    beyond = min(float((means <= 0).mean()), float((means >= 0).mean()))
    return Comparison(
        interval(gaps.tolist()),
        int((gaps > 0).sum()),
        int((gaps == 0).sum()),
        int((gaps < 0).sum()),
        min(1.0, 2 * max(beyond, 1 / RESAMPLES)),
        wilcoxon(gaps),
        len(set(a) | set(b)) - len(gaps),
    )


def differences(a: Mapping[str, float], b: Mapping[str, float]) -> np.ndarray:
    """``a - b`` on the pictures that both have, in the order of their names; below 1e-6 it is 0.

    Raises:
        BokehbenchError: no picture in common, or an infinite difference.
    """
    shared = sorted(name for name in set(a) & set(b) if not (math.isnan(a[name]) or math.isnan(b[name])))
    if not shared:
        raise BokehbenchError("The two results have no scored picture in common: they cannot be compared.")
    gaps = np.asarray([0.0 if a[name] == b[name] else a[name] - b[name] for name in shared])
    if not np.isfinite(gaps).all():
        raise BokehbenchError("A picture is perfect (infinite PSNR) in one result only: they cannot be compared by it.")
    return np.where(np.abs(gaps) < 1e-6, 0.0, gaps)


def wilcoxon(gaps: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; 1 where nothing differs."""
    from scipy.stats import wilcoxon as signed_rank

    nonzero = gaps[gaps != 0]
    if not len(nonzero):
        return 1.0
    tied = len(np.unique(np.abs(nonzero))) < len(nonzero)
    # Stated, not "auto": SciPy has moved the size at which it changes from exact to approximate.
    method = "exact" if len(nonzero) <= 25 and not tied else "approx"
    return float(signed_rank(nonzero, method=method).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction for several tests at once, in the order given."""
    order, count = np.argsort(p_values, kind="stable"), len(p_values)
    corrected = np.empty(count)
    steps = np.arange(count, 0, -1) * np.asarray(p_values, dtype=np.float64)[order]
    corrected[order] = np.maximum.accumulate(np.minimum(steps, 1.0))
    return corrected.tolist()
