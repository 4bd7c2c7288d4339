"""Agreement of raters who did not all judge the same things: Krippendorff's alpha for nominal data."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def alpha(units: Iterable[Sequence[Hashable]]) -> float:
    """1 - observed / expected disagreement: 1 is full agreement, 0 is chance, below 0 is worse than chance.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C. NaN where no unit has two values, or
    where only one value was ever given (nothing could have disagreed).

    Args:
        units: per unit the values that raters gave it, in any order; units with fewer than two do not count.
    """
    pairable = [Counter(unit) for unit in units if len(unit) > 1]
    totals: Counter[Hashable] = sum(pairable, Counter())
    count = totals.total()
    expected = count * count - sum(number * number for number in totals.values())
    if not expected:
        return math.nan
    observed = sum(
        (unit.total() ** 2 - sum(number * number for number in unit.values())) / (unit.total() - 1) for unit in pairable
    )
    return 1 - (count - 1) * observed / expected


def paired_alpha(units: Iterable[Sequence[int]]) -> float:
    """Alpha of choices +1 (first of the two), -1 (second), 0 (neither), whatever is called first.

    Which side of a pair is "first" is a convention, and alpha depends on it through the expected disagreement (if
    all prefer the first everywhere, nothing varies and alpha is undefined though all agree). So every unit enters
    twice, once in either order: the two sides are then equally frequent.
    """
    units = [tuple(unit) for unit in units]
    return alpha([*units, *(tuple(-value for value in unit) for unit in units)])


def agreement(units: Iterable[Sequence[Hashable]]) -> float:
    """Share of couples of raters who gave a unit the same value, over all units; NaN without a couple."""
    same = couples = 0
    for unit in units:
        values = Counter(unit)
        couples += values.total() * (values.total() - 1)
        same += sum(number * (number - 1) for number in values.values())
    return same / couples if couples else math.nan
