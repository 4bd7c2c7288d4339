"""Learning rate over the steps of a stage."""

from __future__ import annotations

import pytest

from bokehbench.models.stages import StageRecipe


def test_rate_decays_at_the_fractions() -> None:
    recipe = StageRecipe(steps=100, batch_size=1, learning_rate=1.0)
    assert [recipe.rate(step) for step in (0, 59, 60, 84, 85, 99)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_warm_up_is_linear_and_ends_at_one() -> None:
    recipe = StageRecipe(steps=100, batch_size=1, learning_rate=1.0, warmup_steps=4, decay_at=[])
    assert [recipe.rate(step) for step in range(6)] == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])
