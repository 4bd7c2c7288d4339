"""Alpha against the values worked out in Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bokehbench.study.krippendorff import agreement, alpha, paired_alpha


def units(*observers: str) -> list[list[str]]:
    return [[value for value in column if value != "."] for column in zip(*(o.split() for o in observers), strict=True)]


@pytest.mark.parametrize(
    ("observers", "published"),
    [
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),  # section A: two observers, binary
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),  # section B: two observers, nominal
        (
            (
                "1 2 3 3 2 1 4 1 2 . . .",
                "1 2 3 3 2 2 4 1 2 5 . 3",
                ". 3 3 3 2 3 4 2 2 5 1 .",
                "1 2 3 3 2 4 4 1 2 5 1 .",
            ),
            0.743,
        ),  # section C: four observers, missing data
    ],
)
def test_published_values(observers, published) -> None:
    assert alpha(units(*observers)) == pytest.approx(published, abs=5e-4)


ratings = st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=5), min_size=1, max_size=12)


@settings(deadline=None)
@given(ratings, st.data())
def test_which_method_is_called_first_does_not_matter(given_units, data) -> None:
    turned = [[-v for v in unit] if data.draw(st.booleans()) else unit for unit in given_units]
    one, two = paired_alpha(given_units), paired_alpha(turned)
    assert one == pytest.approx(two, nan_ok=True)
    assert math.isnan(one) or -1 <= one <= 1 + 1e-12


def test_full_agreement_is_one_even_where_one_method_always_wins() -> None:
    assert math.isnan(alpha([[1, 1], [1, 1, 1]]))
    assert paired_alpha([[1, 1], [1, 1, 1]]) == pytest.approx(1)
    assert agreement([[1, 1], [1, 1, 1]]) == 1


def test_chance_is_about_zero() -> None:
    random = np.random.default_rng(0)
    assert abs(paired_alpha(random.choice([-1, 0, 1], (400, 5)).tolist())) < 0.03


def test_nothing_to_compare() -> None:
    assert math.isnan(alpha([["a"], []]))
    assert math.isnan(agreement([["a"], []]))
    assert agreement([["a", "a", "b"]]) == pytest.approx(1 / 3)
