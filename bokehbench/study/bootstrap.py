"""Intervals by drawing raters: a rater's votes are alike, so raters and not votes are the independent units."""

from __future__ import annotations

import numpy as np

from bokehbench.board import statistics
from bokehbench.study.bradley_terry import strengths

#: Draws, of those that boards have: each is a fit of all strengths.
RESAMPLES = 2000


def strength_draws(wins: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """(RESAMPLES, M) strengths.

    Args:
        wins, ties: (raters, M, M).
    """
    drawn = _draws(len(wins))
    return strengths(np.tensordot(drawn, wins, 1), np.tensordot(drawn, ties, 1))


def share_draws(wins: np.ndarray) -> np.ndarray:
    """(RESAMPLES, M, M) shares of decided votes; NaN where a draw has none.

    Args:
        wins: (raters, M, M).
    """
    drawn = np.tensordot(_draws(len(wins)), wins, 1)
    met = drawn + drawn.swapaxes(-1, -2)
    return np.divide(drawn, met, out=np.full_like(drawn, np.nan), where=met > 0)


def limits(draws: np.ndarray, raters: int) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over the first axis; NaN with fewer than two raters, who cannot be drawn."""
    return statistics.limits(draws if raters > 1 else np.full_like(draws, np.nan))


def _draws(raters: int) -> np.ndarray:
    return statistics.resampled_counts(raters)[:RESAMPLES].astype(np.float64)
