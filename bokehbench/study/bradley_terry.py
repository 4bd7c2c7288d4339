"""Strengths from pairwise choices: the model of Bradley and Terry 1952, with the ties of Davidson 1970.

With u = (s_i - s_j) / 2, P(i chosen) : P(j chosen) : P(no preference) = exp(u) : exp(-u) : exp(t). Among decided votes
this is Bradley and Terry's P(i) = 1 / (1 + exp(s_j - s_i)), so that strengths and shares of decided votes agree; one
number t says how often raters have no preference. Counting a tie as half a win for either would need no t, but pulls
strengths together where ties are common; leaving ties out would lose that they tell of equals.
"""

import numpy as np

from bokehbench.errors import BokehbenchError

#: Wins and losses against an imagined method of strength 0 that every method starts with: half a vote each way.
#: The same for t: half a tie and half a decided vote between equals.
PRIOR = 0.5
STEPS = 200
CLOSE = 1e-8


def strengths(wins: np.ndarray, ties: np.ndarray | None = None) -> np.ndarray:
    """Strengths s (log scale, mean 0) that make the votes and the prior most likely.

    The log-likelihood is concave; with a prior its maximum exists even where a method was never beaten, or where no
    votes join two groups of methods. By Newton's method and not the MM algorithm (Hunter 2004): MM crawls where a
    method was never beaten, and the bootstrap meets many such draws.

    Args:
        wins: (..., M, M), how often the row was chosen over the column.
        ties: (..., M, M), symmetric, how often neither was; None or all 0 is Bradley and Terry's own model.

    Raises:
        BokehbenchError: counts that are not finite and >= 0.
    """
    wins = np.asarray(wins, dtype=np.float64).copy()
    tied = np.zeros_like(wins) if ties is None else np.asarray(ties, dtype=np.float64).copy()
    for counts in (wins, tied):
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise BokehbenchError("Bradley-Terry strengths need counts that are finite and not negative.")
    count = wins.shape[-1]
    diagonal = np.arange(count)
    wins[..., diagonal, diagonal] = tied[..., diagonal, diagonal] = 0
    with_ties = bool(tied.any())
    met = wins + wins.swapaxes(-1, -2) + tied
    excess = 0.5 * (wins - wins.swapaxes(-1, -2)).sum(-1)
    undecided = 0.5 * tied.sum((-1, -2))
    # The last entry of x is t; without ties it is fixed where exp(t) is 0.
    x = np.zeros((*wins.shape[:-2], count + 1))
    x[..., -1] = 0.0 if with_ties else -np.inf
    for _ in range(STEPS):
        gradient, curvature = _derivatives(x, met)
        gradient[..., :count] += excess
        gradient[..., -1] += undecided
        if not with_ties:
            gradient[..., -1], curvature[..., -1, :], curvature[..., :, -1] = 0, 0, 0
            curvature[..., -1, -1] = 1
        if np.abs(gradient).max(initial=0.0) < CLOSE * max(1.0, met.max(initial=0.0)):
            break
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        # A full step can overshoot where the logistic curve is flat; one unit at a time always climbs back.
        x = x + step / np.maximum(1.0, np.abs(step).max(-1, keepdims=True))
    s = x[..., :count]
    return s - s.mean(-1, keepdims=True)


def _derivatives(x: np.ndarray, met: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected part of the gradient, prior included, and minus the Hessian, for s and t in one vector."""
    s, t = x[..., :-1], x[..., -1]
    count = s.shape[-1]
    half = 0.5 * (s[..., :, None] - s[..., None, :])
    top = np.maximum(np.abs(half), t[..., None, None])  # no exponential can overflow
    first, second = np.exp(half - top), np.exp(-half - top)
    tie = np.exp(t[..., None, None] - top)
    total = first + second + tie
    lead, tie, decided = (first - second) / total, tie / total, (first + second) / total
    alone = 0.5 * (1 + np.tanh(0.5 * s))
    equal = 1 / (1 + 2 * np.exp(-t))  # chance of a tie between equals
    gradient = np.empty_like(x)
    gradient[..., :-1] = -0.5 * (met * lead).sum(-1) + PRIOR * (1 - 2 * alone)
    gradient[..., -1] = -0.5 * (met * tie).sum((-1, -2)) + PRIOR * (1 - 2 * equal)
    spread = 0.25 * met * (decided - lead**2)
    cross = -0.5 * met * lead * tie
    diagonal = np.arange(count)
    curvature = np.zeros((*x.shape, count + 1))
    curvature[..., :-1, :-1] = -spread
    curvature[..., diagonal, diagonal] = spread.sum(-1) + 2 * PRIOR * alone * (1 - alone)
    curvature[..., :-1, -1] = curvature[..., -1, :-1] = cross.sum(-1)
    curvature[..., -1, -1] = 0.5 * (met * tie * (1 - tie)).sum((-1, -2)) + 2 * PRIOR * equal * (1 - equal)
    return gradient, curvature


def unbeaten(wins: np.ndarray) -> np.ndarray:
    """M bool: chosen in every decided vote, and there were some; of ``wins.T`` it tells who was never chosen.

    Without the prior the strength of the one were infinite, that of the other minus infinity.
    """
    return (wins.sum(0) == 0) & (wins.sum(1) > 0)


def connected(met: np.ndarray) -> bool:
    """Whether votes join all methods; strengths of groups that never met come from the prior alone."""
    from scipy.sparse.csgraph import connected_components

    return bool(connected_components(met > 0, directed=False, return_labels=False) == 1)
