"""Exact intervals and tests against the definitions in SciPy's distributions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from bokehbench.study.binomial import share


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_clopper_and_pearsons(counts) -> None:
    won, n = counts
    found = share(won, n)
    low = beta.ppf(0.025, won, n - won + 1) if won else 0.0
    high = beta.ppf(0.975, won + 1, n - won) if won < n else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.low <= found.share <= found.high


@settings(deadline=None)
@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_p_is_the_mass_of_counts_as_far_from_the_middle(counts) -> None:
    won, n = counts
    mass = sum(binom.pmf(k, n, 0.5) for k in range(n + 1) if abs(2 * k - n) >= abs(2 * won - n))
    assert share(won, n).p == pytest.approx(mass, abs=1e-9)


def test_sides_are_exchangeable_and_no_votes_say_nothing() -> None:
    one, two = share(7, 20), share(13, 20)
    assert (one.low, one.high) == pytest.approx((1 - two.high, 1 - two.low))
    nothing = share(0, 0)
    assert math.isnan(nothing.share)
    assert (nothing.low, nothing.high, nothing.p) == (0, 1, 1)
    with pytest.raises(ValueError, match="3 of 2"):
        share(3, 2)
