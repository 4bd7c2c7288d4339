"""Intervals cover, paired tests agree with SciPy, and the same numbers always give the same digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bokehbench.board import statistics
from bokehbench.board.statistics import compare, holm, interval
from bokehbench.errors import BokehbenchError


def named(values):
    return {f"{number:03d}": float(value) for number, value in enumerate(values)}


def test_the_interval_of_a_normal_sample_is_students():
    values = np.random.default_rng(0).normal(25, 4, 294)
    found = interval(values.tolist())
    low, high = stats.t.interval(0.95, 293, values.mean(), stats.sem(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(low, abs=0.03)
    assert found.high == pytest.approx(high, abs=0.03)
    assert found == interval(values.tolist())


def test_large_sets_are_drawn_the_same_way():
    values = np.random.default_rng(6).normal(25, 4, 1500)
    found = interval(values.tolist())
    low, high = stats.t.interval(0.95, 1499, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)


def test_intervals_cover_the_true_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    found = [interval(rng.normal(0, 1, 40).tolist()) for _ in range(200)]
    assert 0.89 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.99


@pytest.mark.parametrize(
    ("values", "mean", "count"), [([], math.nan, 0), ([3.0], 3.0, 1), ([math.inf, 1.0], math.inf, 2)]
)
def test_intervals_that_cannot_be_had(values, mean, count):
    found = interval(values)
    assert found.mean == mean or (math.isnan(mean) and math.isnan(found.mean))
    assert found.count == count
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_missing_value_is_left_out():
    assert interval([1.0, math.nan, 3.0]).mean == 2.0


@pytest.mark.parametrize("count", [12, 80])
def test_wilcoxon_is_scipys(count):
    rng = np.random.default_rng(2)
    a, b = rng.normal(25, 4, count), rng.normal(25.3, 4, count)
    found = compare(named(a), named(b))
    assert found.p_wilcoxon == pytest.approx(stats.wilcoxon(a, b).pvalue, rel=0.02)
    assert (found.wins, found.ties, found.losses) == ((a > b).sum(), 0, (a < b).sum())


def test_a_small_steady_difference_is_real_though_the_intervals_overlap():
    pictures = np.random.default_rng(3).normal(25, 4, 100)
    a, b = named(pictures + 0.1 + np.random.default_rng(4).normal(0, 0.1, 100)), named(pictures)
    one, two = interval(list(a.values())), interval(list(b.values()))
    assert one.low < two.high
    found, back = compare(a, b), compare(b, a)
    assert found.real
    assert found.difference.low > 0
    assert back.difference.mean == pytest.approx(-found.difference.mean)
    assert back.p_wilcoxon == pytest.approx(found.p_wilcoxon)


def test_noise_is_not_real():
    rng = np.random.default_rng(5)
    assert not compare(named(rng.normal(25, 4, 60)), named(rng.normal(25, 4, 60))).real


def test_equal_results_tie():
    found = compare(named([1, 2, math.inf]), named([1, 2, math.inf]))
    assert (found.wins, found.ties, found.losses, found.p_wilcoxon, found.p_bootstrap) == (0, 3, 0, 1.0, 1.0)


def test_only_shared_pictures_count():
    found = compare({"a": 1.0, "b": 2.0, "c": 9.0}, {"a": 0.5, "b": 1.0, "d": 0.0})
    assert (found.difference.count, found.skipped) == (2, 2)
    assert found.difference.mean == pytest.approx(0.75)


@pytest.mark.parametrize(("a", "b"), [({"a": 1.0}, {"b": 1.0}), ({"a": math.inf}, {"a": 1.0})])
def test_what_cannot_be_compared_is_refused(a, b):
    with pytest.raises(BokehbenchError):
        compare(a, b)


def test_holm_is_the_textbooks():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@pytest.mark.parametrize("count", [2, 700, 1501])
def test_counted_draws_are_the_gathered_ones(count):
    values = np.random.default_rng(count).normal(25, 4, count)
    counted = statistics.resampled_means(values)
    random = np.random.RandomState(statistics.SEED)
    gathered = [values[random.randint(0, count, count)].mean() for _ in range(statistics.RESAMPLES)]
    np.testing.assert_allclose(counted, gathered, rtol=1e-12)


def test_intervals_of_groups_draw_whole_groups():
    pairs, groups = [1.0, 1.0, 3.0, 3.0, 8.0, 8.0], ["a", "a", "b", "b", "c", "c"]
    by_group, single = statistics.interval(pairs, groups), statistics.interval([1.0, 3.0, 8.0])
    assert (by_group.mean, by_group.low, by_group.high) == (single.mean, single.low, single.high)
    assert by_group.count == 6
    assert math.isnan(statistics.interval([1.0, 2.0], ["a", "a"]).low), "one scene says nothing of others"
    unequal = statistics.interval([0.0, 4.0, 4.0, math.nan], ["a", "b", "b", "a"])
    assert unequal.mean == pytest.approx(8 / 3)
    assert (unequal.low, unequal.high) == (0.0, 4.0)
