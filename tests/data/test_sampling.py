"""The draws of a stage are a pure function of (seed, plan)."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from bokehbench.data.sampling import (
    Draw,
    DrawSampler,
    TrainingPlan,
    View,
    draw_generator,
    index_of,
)
from bokehbench.errors import BokehbenchError


def batches(length: int = 7, seed: int = 3, **plan: int) -> list[list[Draw]]:
    return list(DrawSampler(length, TrainingPlan(**{"batch_size": 3, "steps": 10, **plan}), seed))


def test_every_index_comes_once_per_pass_in_changing_order() -> None:
    passes = [[index_of(0, epoch * 50 + i, 50) for i in range(50)] for epoch in range(3)]
    assert all(sorted(p) == list(range(50)) for p in passes)
    assert passes[0] != passes[1] != passes[2]


def test_numbers_are_unique_and_consecutive() -> None:
    assert [draw.number for batch in batches() for draw in batch] == list(range(30))


def test_resume_gives_the_batches_that_were_left() -> None:
    assert batches(first_step=6) == batches()[6:]


def test_length_is_the_whole_stage_after_a_resume_too() -> None:
    assert len(DrawSampler(7, TrainingPlan(batch_size=3, steps=10, first_step=6), 0)) == 10


def test_ranks_share_the_draws_of_each_step() -> None:
    ranks = [batches(batch_size=2, rank=r, world_size=3) for r in range(3)]
    together = [[draw for rank in ranks for draw in rank[step]] for step in range(10)]
    assert together == batches(batch_size=6)


def test_seed_changes_the_order() -> None:
    assert batches(seed=1) != batches(seed=2)


def test_longer_stage_begins_like_the_shorter_one() -> None:
    assert batches(steps=20)[:10] == batches(steps=10)


def test_draws_are_balanced() -> None:
    count = Counter(draw.index for batch in batches(length=5) for draw in batch)
    assert set(count.values()) == {6}


def test_generators_differ_and_repeat() -> None:
    values = {
        float(torch.rand((), generator=draw_generator(s, n), dtype=torch.float64)) for s in (0, 1) for n in range(50)
    }
    assert len(values) == 100
    assert torch.equal(torch.rand(4, generator=draw_generator(5, 6)), torch.rand(4, generator=draw_generator(5, 6)))


def test_generators_leave_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    torch.rand(3, generator=draw_generator(0, 0))
    batches()
    assert torch.equal(before, torch.get_rng_state())


def test_bad_views_and_plans_are_explained() -> None:
    with pytest.raises(BokehbenchError, match="0 x 5"):
        View("crop", 0, 5)
    with pytest.raises(BokehbenchError, match="zoom"):
        View("zoom", 4, 4)  # type: ignore[arg-type]
    with pytest.raises(BokehbenchError, match="batches of 0"):
        TrainingPlan(batch_size=0, steps=1)
    with pytest.raises(BokehbenchError, match="empty"):
        DrawSampler(0, TrainingPlan(batch_size=1, steps=1), 0)
