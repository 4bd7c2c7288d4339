"""Spearman's rank correlation: whether a map orders the pixels as the true one does, whatever its scale."""

from bokehbench.lazy import Tensor, torch


def rank_correlation(prediction: Tensor, target: Tensor) -> Tensor:
    """Spearman's coefficient of each pair of maps, equal values sharing their mean rank: B 1 H W twice -> shape B.

    In [-1, 1], 1 for the same order of all pixels; 0 where either map is constant and so orders nothing. D2F's defocus
    map is an index without unit, so only its order can be compared with a radius.
    """
    values = []
    for one, other in zip(prediction.flatten(1), target.flatten(1), strict=True):
        x, y = mean_ranks(one), mean_ranks(other)
        x, y = x - x.mean(), y - y.mean()
        values.append((x * y).sum() / (x.norm() * y.norm()).clamp_min(torch.finfo(x.dtype).tiny))
    return torch.stack(values).float()


def mean_ranks(values: Tensor) -> Tensor:
    """Ranks 1 .. N of N values in float64, equal values sharing the mean of theirs."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0).double()
    return (last - (count - 1) / 2)[place]
