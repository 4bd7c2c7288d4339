"""Suites as files: what they may say, in which order it is run, and what came of the paper's claims."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from made_boards import PICTURES, make_board, make_result

from bokehbench import experiments
from bokehbench.board.boards import find, read_board
from bokehbench.commands.benchmark import arguments, passed_on, with_configurations
from bokehbench.errors import BokehbenchError
from bokehbench.suite.collection import read_collection
from bokehbench.suite.dependencies import steps
from bokehbench.suite.expectation import Expectation
from bokehbench.suite.experiment import filled
from bokehbench.suite.runner import Outcome
from bokehbench.suite.suite import Suite, read_suite
from bokehbench.suite.suite_table import SuiteTable, shown_columns

OURS = [path for path in sorted((experiments.folder() / "suites").glob("*.yaml")) if not read_collection(path)]


def written(folder: Path, *entries: object, **more: object) -> Suite:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"experiments": list(entries), **more}))
    return read_suite(path)


@pytest.mark.parametrize("path", OURS, ids=[path.stem for path in OURS])
def test_every_suite_of_ours_can_be_read_and_shows_what_its_board_has(path: Path) -> None:
    suite = read_suite(path)
    assert suite.board is not None
    board = find(suite.board)
    assert set(suite.columns) <= set(read_board(board).columns)
    for experiment in suite.experiments:
        assert experiment.config is None or experiments.configuration(experiment.config)
        assert set(experiment.published) <= set(read_board(board).columns)
    for claim in suite.expect:
        assert claim.column in suite.columns
    assert {name for name, verb in steps(suite.experiments) if verb == "test"} == {
        experiment.name for experiment in suite.experiments if experiment.tested
    }


def test_fits_come_before_what_needs_them(tmp_path: Path) -> None:
    suite = written(
        tmp_path,
        {"name": "late", "model": "deeplens", "from": "early", "stage": "depth"},
        {"name": "built", "model": "deeplens", "fit": {"model.weights": "{early}"}},
        {"name": "early", "model": "deeplens", "fit": {"model.weights": "{first}"}},
        {"name": "first", "model": "deeplens", "test": False},
        "identity",
    )
    order = steps(suite.experiments)
    assert order == [
        ("first", "fit"), ("early", "fit"), ("late", "test"), ("built", "fit"), ("built", "test"), ("early", "test"),
        ("identity", "test"),
    ]  # fmt: skip
    assert steps(suite.experiments, ["late"]) == [("first", "fit"), ("early", "fit"), ("late", "test")]
    assert steps(suite.experiments, ["identity"]) == [("identity", "test")]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{"model": "pynet", "fit": {"model.weights": "{dept}"}}, {"name": "depth", "model": "pynet"}], "'depth'"),
        ([{"model": "deeplens", "from": "nothing"}], "'nothing', which the suite does not have"),
        ([{"model": "deeplens", "test": {"model.depth": "{identity}"}}, "identity"], "which has no weights"),
        ([{"model": "deeplens", "from": "pynet"}, "pynet"], "which is of pynet"),
        ([{"model": "identity", "test": False}], "nothing to fit"),
        (
            [
                {"name": "a", "model": "deeplens", "fit": {"model.weights": "{b}"}},
                {"name": "b", "model": "deeplens", "fit": {"model.weights": "{a}"}},
            ],
            "in a circle: (a, b|b, a)",
        ),
        ([{"name": "a", "model": "deeplens", "from": "a"}], "in a circle: a"),
        ([{"model": "identity", "published": {"psnr": 28.0}}], "need a 'source'"),
        ([{"model": "identity", "published": {"psnr": "high"}, "source": "S"}], "a number or n/a"),
    ],
)
def test_needs_that_cannot_be_met_are_told_before_anything_runs(tmp_path: Path, entries, said: str) -> None:
    with pytest.raises(BokehbenchError, match=said):
        written(tmp_path, *entries)


def test_names_are_replaced_by_checkpoints_and_json_is_left_alone() -> None:
    command = ["--model.depth=checkpoint:{My_Depth}", '--model.rendering={"steps": 3}', "--x={y: 1}"]
    assert filled(command, lambda name: Path("/fits") / f"{name}.ckpt") == [
        "--model.depth=checkpoint:/fits/my-depth.ckpt", *command[1:],
    ]  # fmt: skip


def test_a_recipe_can_be_replaced_where_it_is_named(tmp_path: Path) -> None:
    suite = written(tmp_path, "identity", "pynet", {"model": "deeplens", "config": "other"}, config="small")
    changed = with_configurations(suite, ["small=paper"])
    assert [experiment.config for experiment in changed.experiments] == [None, "paper", "other"]
    with pytest.raises(BokehbenchError, match="OLD is one of other, small"):
        with_configurations(suite, ["smal=paper"])


@pytest.mark.parametrize("word", ["--model.x=3", "--test.model.x", "--test.seed_everything=1", "--test.data=ebb"])
def test_other_options_are_refused(word: str) -> None:
    with pytest.raises(BokehbenchError, match=word.split("=")[0]):
        arguments(["quick", word])


def test_a_seed_goes_to_the_fits_alone() -> None:
    options, extra = arguments(["quick", "--fit.seed_everything=1"])
    assert options.suite == "quick"
    assert passed_on("--fit.", extra) == ("--seed_everything=1",)
    assert passed_on("--test.", extra) == ()


@pytest.mark.parametrize(
    ("shift", "column", "verdict"),
    [(0.5, "psnr", "holds: "), (-0.5, "psnr", "does not hold: "), (0.0, "psnr", "not decided: ")],
)
def test_a_claim_holds_where_the_pictures_say_so(shift: float, column: str, verdict: str) -> None:
    found = {"a": make_result("A", shift), "b": make_result("B")}
    line = Expectation("a", "b", column).judge(found)
    assert line.startswith(verdict)
    gap = sum(found["a"].values("psnr")[n] - found["b"].values("psnr")[n] for n in PICTURES) / len(PICTURES)
    assert f"a - b, PSNR (dB): {gap:+.2f}, 95 % interval" in line
    assert "Wilcoxon p = " in line


def test_a_claim_about_an_error_holds_where_it_is_smaller() -> None:
    near = make_result("N", per_image={name: {"depth_mae": 0.1 + 0.001 * i} for i, name in enumerate(PICTURES)})
    far = make_result("F", per_image={name: {"depth_mae": 0.2 + 0.002 * i} for i, name in enumerate(PICTURES)})
    line = Expectation("near", "far", "depth_mae", "near is nearer").judge({"near": near, "far": far})
    assert line.startswith("holds: near is nearer (near - far, depth MAE: -0.1145")
    assert "better on 30 of 30 pictures" in line
    assert "not tested" in Expectation("near", "far", "depth_mae").judge({"near": near})
    assert "not tested" in Expectation("near", "far", "lpips").judge({"near": near, "far": far})


def test_the_table_shows_ours_beside_the_published_figures(tmp_path: Path) -> None:
    board = make_board(tmp_path)
    suite = written(
        tmp_path,
        {"name": "a", "model": "identity", "published": {"psnr": 28.038}, "source": "S, Table 3"},
        {"name": "b", "model": "gaussian", "published": {"psnr": "n/a"}, "source": "S, Table 3"},
        "scatter",
        columns=["psnr", "psnr_border"],
        about="What it shows.",
        expect=[{"better": "a", "than": "b", "column": "psnr"}],
    )
    outcomes = [Outcome("a", make_result("A", 1.0)), Outcome("b", make_result("B")),
                Outcome("scatter", failure="no luck")]  # fmt: skip
    table = SuiteTable(suite, outcomes, board)
    lines = table.text().splitlines()
    assert lines[0].split() == ["experiment", "PSNR", "(dB)", "published"]
    assert lines[1].split()[2:3] == ["28.038"]
    assert lines[2].split()[2:3] == ["n/a"]
    assert "1 of 3 experiments FAILED; the same command tries them again:" in lines
    table.write(tmp_path / "work")
    page = (tmp_path / "work" / "table.md").read_text()
    assert page.startswith("# mine\n\nWhat it shows.\n")
    assert "- holds: a is better than b" in page
    assert (tmp_path / "work" / "table.csv").read_text().count("S, Table 3") == 1, "no source for a figure we lack"
    with pytest.raises(BokehbenchError, match="has no column 'depth_mae'"):
        shown_columns(written(tmp_path, "identity", columns=["depth_mae"]), board)
