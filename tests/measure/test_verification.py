"""A stored result, measured again from its checkpoint: what was forged is found, whatever it is."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from measured_boards import COLUMNS, fit, make_scenes_board, test_on

from bokehbench.board import results
from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.measure.verification import verify
from bokehbench.metrics.columns import find_column
from bokehbench.models import MODELS

PICTURE = "synthetic-test-000001"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A board, a checkpoint of a fit, and its result on the board."""
    home = tmp_path_factory.mktemp("verify")
    board = make_scenes_board(home)
    checkpoint = fit("deeplens", home / "runs", "--seed_everything=3")
    test_on(board, home / "test" / "result.json", "--checkpoint", str(checkpoint))
    assert main(["leaderboard", "add", str(home / "test" / "result.json"), "--board", str(board)]) == 0
    (result,) = results.read_all(board)
    return board, checkpoint, result


def forged(result, column, by):
    """The same result with one picture's value changed."""
    per_image = {name: dict(row) for name, row in result.per_image.items()}
    per_image[PICTURE][column] += by
    return replace(result, per_image=per_image)


def verdict_of(stored, result):
    return verify(read_board(stored[0]), result, [stored[1]], device="cpu")


def test_what_a_test_wrote_verifies(stored, capsys):
    board, checkpoint, result = stored
    words = ["leaderboard", "verify", result.id[:6], "--checkpoint", str(checkpoint), "--board", str(board)]
    assert main([*words, "--device", "cpu"]) == 0
    assert "VERIFIED: every score of every picture" in capsys.readouterr().out
    assert set(result.columns) == set(COLUMNS)
    assert result.seed == 3


@pytest.mark.parametrize("name", COLUMNS)
def test_a_forged_score_is_found_in_every_column(stored, name):
    column = find_column(name)
    unit = 10.0**-column.decimals
    verdict = verdict_of(stored, forged(stored[2], name, unit))
    assert not verdict.same
    assert [line.split(":")[0] for line in verdict.differ] == [f"{PICTURE} {name}"]
    assert verdict.largest[name] == pytest.approx(unit, rel=0.05)


def test_less_than_the_tolerance_is_rounding(stored):
    assert verdict_of(stored, forged(stored[2], "psnr", 0.004)).same


def test_a_value_that_was_taken_out_or_made_up_is_found(stored):
    result = stored[2]
    per_image = {name: dict(row) for name, row in result.per_image.items()}
    del per_image[PICTURE]["blur_amount"]
    assert f"{PICTURE} blur_amount" in verdict_of(stored, replace(result, per_image=per_image)).differ[0]
    per_image[PICTURE]["blur_amount"] = math.inf
    assert not verdict_of(stored, replace(result, per_image=per_image)).same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, "seed: stored 4, now 3"),
        ({"weights_hash": "f" * 64}, "weights: stored ffffffffffff"),
        ({"prediction_hash": "f" * 64}, "prediction_hash: stored ffffffffffff"),
        ({"target_hash": "f" * 64}, "target_hash: stored ffffffffffff"),
        ({"flags": ("incomplete",)}, "flags: stored incomplete"),
        ({"flags": ("contaminated",)}, "flags: stored contaminated"),
        ({"training": {"weights": "untrained"}}, "training, stages"),
        ({"parameters": 5}, "parameters: stored 5"),
    ],
)
def test_what_a_result_says_of_itself_is_compared(stored, change, words):
    verdict = verdict_of(stored, replace(stored[2], **change))
    assert not verdict.same
    assert any(words in line for line in verdict.differ), verdict.differ


def test_a_file_that_was_edited_is_refused_before_anything_is_measured(stored, tmp_path):
    text = stored[2].to_json()
    for field, value in (("id", "0" * 12), ("method", "D2F"), ("flags", ["dirty", "incomplete"]), ("board", "other")):
        edited = json.loads(text) | {field: value}
        (tmp_path / "edited.json").write_text(json.dumps(edited))
        with pytest.raises(BokehbenchError, match="was edited"):
            results.read(tmp_path / "edited.json")


def test_bits_that_another_machine_rounded_are_named_not_proven(stored):
    elsewhere = replace(stored[2], prediction_hash="f" * 64, device="NVIDIA H100")
    verdict = verdict_of(stored, elsewhere)
    assert verdict.same
    assert verdict.answer.startswith("VERIFIED but for prediction_hash (")


def test_the_same_weights_of_another_run_are_named(stored):
    code = {**stored[2].training["code"], "commit": "a" * 40}
    verdict = verdict_of(stored, replace(stored[2], training={**stored[2].training, "code": code}))
    assert verdict.same
    assert verdict.answer.startswith("VERIFIED but for the run of the training (the checkpoint is of another one; ")
    assert "training, code, commit: stored aaaaaaaa" in verdict.answer


def test_a_forged_recipe_is_found(stored):
    (name, stage), *rest = stored[2].training["stages"].items()
    stages = {name: {**stage, "steps": stage["steps"] + 1}, **dict(rest)}
    verdict = verdict_of(stored, replace(stored[2], training={**stored[2].training, "stages": stages}))
    assert [line.split(":")[0] for line in verdict.differ] == [f"training, stages, {name}, steps"]


def test_a_column_that_cannot_be_measured_here_is_named(stored, monkeypatch):
    result = stored[2]
    per_image = {name: {**row, "lpips": 0.1, "of_another_package": 1.0} for name, row in result.per_image.items()}
    verdict = verdict_of(stored, replace(result, per_image=per_image))
    assert verdict.same
    assert set(verdict.unmeasured) == {"lpips", "of_another_package"}
    assert verdict.answer.startswith("VERIFIED but for")


def test_an_untrained_method_needs_no_checkpoint(stored, tmp_path):
    board = stored[0]
    result = test_on(board, tmp_path / "result.json", "--model", "identity")
    verdict = verify(read_board(board), result, device="cpu")
    assert verdict.same
    assert verdict.answer.startswith("VERIFIED:")


def shipped_parts(stored):
    """A method that comes with weights, and (depth, renderer) of combinations of it and of the fit."""
    kind = next(kind for kind in MODELS.loaded().values() if kind.pretrained)
    name, fitted = MODELS.name_of(kind), stored[1]
    return kind, [(f"checkpoint:{fitted}", name), (f"checkpoint:{fitted}", str(fitted)), ("given", name)]


@pytest.mark.parametrize("which", range(3))
def test_a_combination_is_measured_again_from_its_parts(stored, tmp_path, which):
    board, fitted, _ = stored
    depth, renderer = shipped_parts(stored)[1][which]
    words = ["--model", "combination", f"--model.depth={depth}", f"--model.renderer={renderer}"]
    result = test_on(board, tmp_path / "result.json", *words)
    needed = [] if which == 2 else [fitted]
    verdict = verify(read_board(board), result, needed, device="cpu")
    assert verdict.answer.startswith("VERIFIED:"), verdict.differ
    assert not verify(read_board(board), forged(result, "psnr", 1), needed, device="cpu").same
    if needed:
        with pytest.raises(BokehbenchError, match=r"has a part with weights, DeepLens \w{8}: give its --checkpoint\.$"):
            verify(read_board(board), result, device="cpu")
    else:
        with pytest.raises(BokehbenchError, match=r"last.ckpt is of DeepLens \w{8}, which is no part of"):
            verify(read_board(board), result, [fitted], device="cpu")


def test_weights_that_come_with_a_method_need_no_checkpoint(stored, tmp_path):
    kind, _ = shipped_parts(stored)
    result = test_on(stored[0], tmp_path / "result.json", "--model", MODELS.name_of(kind))
    assert verify(read_board(stored[0]), result, device="cpu").answer.startswith("VERIFIED:")


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("renderer", "someone/weights", "neither of a checkpoint nor a method's name"),
        ("depth", "folder maps #1a2b3c4d", "not of a checkpoint: score the pictures"),
        ("depth", "checkpoint:weights.ckpt", "not of a checkpoint: score the pictures"),
    ],
)
def test_a_record_opens_nothing_that_was_not_given(stored, tmp_path, part, value, message):
    result = test_on(stored[0], tmp_path / "result.json", "--model", "combination")
    edited = replace(result, architecture={**result.architecture, part: value})
    with pytest.raises(BokehbenchError, match=message):
        verify(read_board(stored[0]), edited, device="cpu")


def test_two_checkpoints_of_one_method_are_refused(stored):
    with pytest.raises(BokehbenchError, match="is of one method, DeepLens: give one --checkpoint"):
        verify(read_board(stored[0]), stored[2], [stored[1], stored[1]], device="cpu")


@pytest.mark.parametrize(("weights", "message"), [(OUTPUTS_ONLY, "score that folder again"), ("abc", "--checkpoint")])
def test_without_weights_there_is_nothing_to_run(stored, weights, message):
    with pytest.raises(BokehbenchError, match=message):
        verify(read_board(stored[0]), replace(stored[2], weights_hash=weights))


def test_another_methods_checkpoint_is_refused(stored):
    with pytest.raises(BokehbenchError, match="is of DeepLens, not of PyNET"):
        verdict_of(stored, replace(stored[2], method="PyNET"))


def test_pictures_that_are_not_in_the_data_are_named(stored):
    row = stored[2].per_image[PICTURE]
    board = replace(read_board(stored[0]), count=4)
    result = replace(stored[2], per_image={**stored[2].per_image, "4400": row})
    with pytest.raises(BokehbenchError, match=r"not in the data \(4400"):
        verify(board, result, [stored[1]], device="cpu")
