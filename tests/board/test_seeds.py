"""Trainings of one recipe from several seeds: told apart by the seed, and shown with their spread."""

from __future__ import annotations

import math

import pytest
from made_boards import make_board, make_result

from bokehbench.board.boards import read_board
from bokehbench.board.markdown import page
from bokehbench.board.seeds import over_seeds, repeated, told_by_seed
from bokehbench.board.standings import standings


def training(seed: int, shift: float = 0.0, steps: int = 10, **fields):
    """A result of a network trained from ``seed``; wall time and weights differ from run to run."""
    record = {"stages": {"rendering": {"steps": steps}}, "seed": seed, "effort": {"seconds": 10.0 + seed}}
    return make_result("Net", shift, seed=seed, weights_hash=f"w{seed}-{steps}", training=record, **fields)


def test_rows_that_differ_in_their_seed_are_named_after_it(tmp_path):
    board = read_board(make_board(tmp_path))
    alone = make_result("Other")
    made = standings(board, [training(0, variant="c4"), training(1, variant="c4"), training(0, steps=20), alone], [])
    assert {row.label for row in made.rows} == {"Net (c4, seed 0)", "Net (c4, seed 1)", "Net", "Other"}
    made = standings(board, [training(0), training(1)], [])
    assert {row.label for row in made.rows} == {"Net (seed 0)", "Net (seed 1)"}


@pytest.mark.parametrize("other", [training(1, steps=20), training(0, steps=20), training(1, names=["0001", "0002"])])
def test_rows_that_differ_in_more_than_their_seed_are_not(tmp_path, other):
    assert not told_by_seed([training(0), other])
    assert repeated([training(0), other]) == []
    made = standings(read_board(make_board(tmp_path)), [training(0), other], [])
    assert all("#" in row.label for row in made.rows)


def test_page_shows_the_spread_over_seeds(tmp_path):
    board = read_board(make_board(tmp_path))
    results = [training(0, 1.0), training(1, 2.0), training(2, 6.0), make_result("Other")]
    text = page(standings(board, results, []))
    means = [math.fsum(r.values("psnr").values()) / 30 for r in results[:3]]
    assert f"| Net | 0, 1, 2 | {sum(means) / 3:.2f} ({min(means):.2f} to {max(means):.2f}) |" in text
    assert "## Seeds" not in page(standings(board, [results[0], results[3]], []))


def test_values_over_seeds_are_per_picture_and_leave_unscored_pictures_out():
    a, b = training(0), training(1, 2.0)
    b.per_image["0003"]["psnr"] = math.nan
    values = over_seeds([a, b], "psnr")
    assert set(values) == set(a.values("psnr")) - {"0003"}
    assert all(math.isclose(values[name], a.values("psnr")[name] + 1.0) for name in values)
