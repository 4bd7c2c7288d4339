"""Intervals by drawing raters: a rater's votes are alike, so raters and not votes are the independent units."""

from __future__ import annotations

import warnings

import numpy as np

from bokehbench.study.bradley_terry import strengths

RESAMPLES = 2000
SEED = 20260000
LEVEL = 0.95


def draws(raters: int) -> np.ndarray:
    """(RESAMPLES, raters): how often each rater is in each draw with replacement; always the same for a number."""
    # The legacy generator: the only one of NumPy whose stream is promised never to change.
    random = np.random.RandomState(SEED)
    return random.multinomial(raters, np.full(raters, 1 / raters), size=RESAMPLES).astype(np.float64)


def strength_draws(wins: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """(RESAMPLES, M) strengths.

    Args:
        wins, ties: (raters, M, M).
    """
    drawn = draws(len(wins))
    return strengths(np.tensordot(drawn, wins, 1), np.tensordot(drawn, ties, 1))


def share_draws(wins: np.ndarray) -> np.ndarray:
    """(RESAMPLES, M, M) shares of decided votes; NaN where a draw has none.

    Args:
        wins: (raters, M, M).
    """
    drawn = np.tensordot(draws(len(wins)), wins, 1)
    met = drawn + drawn.swapaxes(-1, -2)
    return np.divide(drawn, met, out=np.full_like(drawn, np.nan), where=met > 0)


def limits(values: np.ndarray, raters: int) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over the first axis; NaN with fewer than two raters, who cannot be drawn."""
    if raters < 2:
        nothing = np.full(values.shape[1:], np.nan)
        return nothing, nothing.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a pair that nobody judged is NaN in every draw
        low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
