"""Shares of votes: exact intervals and tests of the binomial distribution."""

import math
from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """``won`` of ``decided`` votes: ``share``, with its 95 % Clopper-Pearson interval (NaN, 0, 1 without votes).

    ``p``: exact two-sided binomial test of a share of one half (1 without votes).
    """

    won: int
    decided: int
    share: float
    low: float
    high: float
    p: float


def share(won: int, decided: int) -> Share:
    """A share with its interval and test; both take the votes as independent.

    Clopper and Pearson 1934: the interval holds all shares that a two-sided exact test at 5 %, 2.5 % at either end,
    does not reject.

    Raises:
        ValueError: not 0 <= won <= decided.
    """
    if not 0 <= won <= decided:
        raise ValueError(f"{won} of {decided} votes")
    if not decided:
        return Share(0, 0, math.nan, 0.0, 1.0, 1.0)
    from scipy.stats import binomtest  # here, because it takes a second to load

    test = binomtest(won, decided)
    interval = test.proportion_ci(LEVEL, method="exact")
    return Share(won, decided, won / decided, float(interval.low), float(interval.high), float(test.pvalue))
