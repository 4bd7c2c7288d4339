"""Tables of methods, claims and budgets are what the ranked results say."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from made_boards import make_result
from results_page import CLAIMS, HOME, PAGE, README, TABLES, first_seed, named, place_of, row, steps, verdict

from bokehbench import experiments
from bokehbench.board.boards import read_board
from bokehbench.board.statistics import compare
from bokehbench.metrics.columns import find_column
from bokehbench.suite.suite import read_suite


@pytest.mark.parametrize(("page", "name"), TABLES, ids=lambda each: Path(each).stem)
def test_a_table_is_what_the_boards_say(page: Path, name: str) -> None:
    """``python tests/results/results_page.py`` writes the tables."""
    found = place_of(name).search(page.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == TABLES[page, name]()


@pytest.mark.parametrize("group", CLAIMS, ids=lambda group: group["title"])
def test_claims_are_of_rows_that_their_suite_makes(group) -> None:
    suite = read_suite(experiments.find(group["suite"], "suite"))
    board = read_board(HOME / "leaderboards" / group.get("board", suite.board))
    models = {experiment.model for experiment in suite.experiments}
    for claim in group["claims"]:
        assert claim["column"] in board.columns
        for key in ("first", "second"):
            method, _ = named(claim[key])
            assert method.lower() in models


def gaps(*values: float) -> list:
    """Comparisons of two results that differ by so much on every picture."""
    zero = {str(number): 0.0 for number in range(30)}
    return [compare({name: value + 0.01 * int(name) for name in zero}, zero) for value in values]


@pytest.mark.parametrize(
    ("values", "column", "said"),
    [
        ((1.0, 2.0), "psnr", "**holds**"),
        ((-1.0, -2.0), "psnr", "**does not hold**"),
        ((-1.0, -2.0), "depth_mae", "**holds**"),
        ((1.0, -2.0), "psnr", "**seeds disagree**"),
        ((-0.145, -0.145), "psnr", "**not decided**"),
        ((1.0,), "psnr", "one seed: holds"),
    ],
)
def test_a_verdict_needs_two_seeds_that_agree(values, column: str, said: str) -> None:
    assert verdict(find_column(column), gaps(*values)) == said


def test_trainings_are_told_apart_by_the_seed_that_differs() -> None:
    part = {"seed": 5, "stages": {"rendering": {"steps": 3}}, "origins": []}
    depth = {**part, "seed": 1, "stages": {"depth": {"steps": 4, "steps_done": 2}}}
    both = {"origins": [{"role": role, "method": "DeepLens", "weights_hash": role, "training": training}
                        for role, training in (("renderer", part), ("depth", depth))]}  # fmt: skip
    made = replace(make_result("Combination"), training=both)
    assert first_seed(made) == 1
    assert steps(made) == "rendering 3, depth 2"
    assert first_seed(make_result("Other")) is None


def test_rows_are_ranked_ones_and_means_are_of_the_boards() -> None:
    (identity,) = row("synthetic-dof", "Identity", "").values()
    assert math.isclose(sum(identity.values("psnr").values()) / 500, 28.36, abs_tol=0.005)


def test_no_withdrawn_result_is_linked_from_the_pages() -> None:
    boards = [read_board(path.parent) for path in (HOME / "leaderboards").glob("*/board.yaml")]
    withdrawn = {id[:6] for board in boards for id in board.withdrawn}
    for page in (README, PAGE):
        text = page.read_text(encoding="utf-8")
        assert not [id for id in withdrawn if f"`{id}`" in text]
