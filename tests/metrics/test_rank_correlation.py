"""Spearman's coefficient against SciPy's, and its limits."""

from __future__ import annotations

import pytest
import torch

from bokehbench.metrics.rank_correlation import rank_correlation

stats = pytest.importorskip("scipy.stats")


def test_equals_scipy_with_many_ties() -> None:
    generator = torch.Generator().manual_seed(0)
    ours = torch.rand(3, 1, 20, 31, generator=generator)
    theirs = (ours + torch.rand(ours.shape, generator=generator)).mul(4).round()
    for value, x, y in zip(rank_correlation(ours, theirs), ours, theirs, strict=True):
        assert float(value) == pytest.approx(stats.spearmanr(x.flatten(), y.flatten()).statistic, abs=1e-6)


def test_only_the_order_counts_and_a_constant_map_orders_nothing() -> None:
    ramp = torch.linspace(0, 1, 60).view(1, 1, 6, 10)
    assert float(rank_correlation(ramp.exp(), ramp)) == pytest.approx(1)
    assert float(rank_correlation(1 - ramp, ramp)) == pytest.approx(-1)
    assert float(rank_correlation(torch.full_like(ramp, 0.3), ramp)) == 0
