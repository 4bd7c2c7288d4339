"""Strengths: the right optimum, known truths recovered, and the cases in which plain likelihood has no answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bokehbench.errors import BokehbenchError
from bokehbench.study.analysis import limits, share_draws, strength_draws
from bokehbench.study.bradley_terry import PRIOR, connected, strengths, unbeaten

counts = st.integers(2, 6).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 200), min_size=m, max_size=m), min_size=m, max_size=m)
)


def cost(x: np.ndarray, wins: np.ndarray, ties: np.ndarray) -> float:
    """Minus the penalised log-likelihood, straight from its definition; the last entry is t."""
    s, t = x[:-1], x[-1]
    total = PRIOR * (np.logaddexp(0, -s) + np.logaddexp(0, s)).sum()
    if ties.any():
        total += PRIOR * (np.logaddexp(0, np.log(2) - t) + np.logaddexp(0, t - np.log(2)))
    for i in range(len(s)):
        for j in range(i):
            u = (s[i] - s[j]) / 2
            whole = np.logaddexp(np.logaddexp(u, -u), t) if ties.any() else np.logaddexp(u, -u)
            total += (wins[i, j] + wins[j, i] + ties[i, j]) * whole
            total -= (wins[i, j] - wins[j, i]) * u + ties[i, j] * t
    return total


@settings(max_examples=60, deadline=None)
@given(counts, st.sampled_from([0, 1, 30]))
def test_strengths_are_the_optimum_of_their_definition(rows, most_ties) -> None:
    wins = np.asarray(rows, dtype=float)
    np.fill_diagonal(wins, 0)
    ties = np.random.default_rng(len(rows)).integers(0, most_ties + 1, wins.shape)
    ties = np.triu(ties, 1) + np.triu(ties, 1).T
    found = strengths(wins, ties)
    best = minimize(cost, np.zeros(len(wins) + 1), (wins, ties), options={"gtol": 1e-8}).x[:-1]
    assert found == pytest.approx(best - best.mean(), abs=3e-3)
    assert found.mean() == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(counts, st.randoms())
def test_the_order_of_methods_and_the_diagonal_do_not_matter(rows, random) -> None:
    wins = np.asarray(rows, dtype=float)
    order = list(range(len(wins)))
    random.shuffle(order)
    assert strengths(wins[np.ix_(order, order)]) == pytest.approx(strengths(wins)[order], abs=1e-6)
    assert strengths(wins + np.diag(np.full(len(wins), 9.0))) == pytest.approx(strengths(wins), abs=1e-9)
    assert strengths(wins.T) == pytest.approx(-strengths(wins), abs=1e-6)


def test_a_batch_is_its_members() -> None:
    random = np.random.default_rng(0)
    wins, ties = random.integers(0, 30, (50, 4, 4)), random.integers(0, 9, (50, 4, 4))
    ties = ties + ties.swapaxes(1, 2)
    alone = np.stack([strengths(w, t) for w, t in zip(wins, ties, strict=True)])
    assert strengths(wins, ties) == pytest.approx(alone, abs=1e-5)


def simulate(
    random: np.random.Generator, truth: np.ndarray, raters: int, votes: int, taste: float
) -> tuple[np.ndarray, np.ndarray]:
    """Wins and ties of raters who differ: each has strengths of his own around the truth; equals tie in a third."""
    wins = np.zeros((raters, len(truth), len(truth)))
    ties = np.zeros_like(wins)
    for rater in range(raters):
        own = truth + random.normal(0, taste, len(truth))
        for i in range(len(truth)):
            for j in range(i):
                u = (own[i] - own[j]) / 2
                weights = np.exp([u, -u, 0])
                won, lost, tied = random.multinomial(votes, weights / weights.sum())
                wins[rater, i, j], wins[rater, j, i] = won, lost
                ties[rater, i, j] = ties[rater, j, i] = tied
    return wins, ties


def test_ties_do_not_pull_strengths_together() -> None:
    """Many votes of one taste give the true strengths, though a third of the votes between equals are ties."""
    truth = np.array([1.6, 0.5, -0.3, -1.8])
    wins, ties = simulate(np.random.default_rng(2), truth, 1, 40_000, 0.0)
    assert strengths(wins.sum(0), ties.sum(0)) == pytest.approx(truth, abs=0.03)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """95 % nominal, 25 raters of differing taste: the percentile bootstrap is a little narrow, below 85 % is broken."""
    random = np.random.default_rng(1)
    truth = np.array([0.9, 0.3, -0.2, -1.0])
    inside = []
    for _ in range(25):
        low, high = limits(strength_draws(*simulate(random, truth, 25, 4, 0.4)), 25)
        inside += list((low <= truth) & (truth <= high))
    assert np.mean(inside) > 0.85


def test_drawing_raters_is_wider_than_drawing_votes_when_tastes_differ() -> None:
    """Two camps: each rater always agrees with himself, so that twenty votes of one are hardly more than one."""
    wins = np.zeros((12, 2, 2))
    wins[:6, 0, 1] = wins[6:, 1, 0] = 20
    low, high = limits(share_draws(wins), 12)
    assert high[0, 1] - low[0, 1] > 0.4
    assert np.isnan(low[0, 0])


def test_one_rater_has_no_interval() -> None:
    low, high = limits(strength_draws(np.ones((1, 2, 2)), np.zeros((1, 2, 2))), 1)
    assert np.isnan([*low, *high]).all()


def test_a_method_that_was_never_beaten_stays_finite_and_is_known() -> None:
    wins = np.array([[0, 30, 30], [0, 0, 10], [0, 5, 0]])
    found = strengths(wins)
    assert np.isfinite(found).all()
    assert found.argmax() == 0
    assert unbeaten(wins).tolist() == [True, False, False]
    assert unbeaten(wins.T).tolist() == [False, False, False]
    more = strengths(10 * wins)
    assert more[0] - more[1] > found[0] - found[1] + 1  # bounded by the prior alone: it grows with the votes
    assert np.isfinite(strengths(1e7 * wins)).all()


def test_groups_that_never_met_are_known() -> None:
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[2, 3] = 5
    assert not connected(wins + wins.T)
    wins[1, 2] = 1
    assert connected(wins + wins.T)
    assert strengths(np.zeros((3, 3))) == pytest.approx([0, 0, 0])


def test_ties_alone_make_equals_and_beside_wins_bring_methods_closer() -> None:
    ties = np.array([[0, 8, 0], [8, 0, 0], [0, 0, 0]])
    assert strengths(np.zeros((3, 3)), ties) == pytest.approx([0, 0, 0])
    # Both pairs were decided 6 to 2; the first also has ties, which the model knows to be of equals.
    wins = np.array([[0, 6, 6], [2, 0, 0], [2, 0, 0]])
    found = strengths(wins, 5 * ties)
    assert found[1] > found[2]


@pytest.mark.parametrize("bad", [[[0, -1], [1, 0]], [[0, np.nan], [1, 0]]])
def test_bad_counts_are_refused(bad) -> None:
    with pytest.raises(BokehbenchError, match="not negative"):
        strengths(np.asarray(bad))
