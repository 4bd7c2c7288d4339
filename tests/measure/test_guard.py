"""A board accepts its own pictures only, from the command line, from Python, and from files."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from makers import make_pairs, make_rgbd, picture, save
from measured_boards import SCENES, make_scenes_board, test_on

from bokehbench.board import leaderboard, results
from bokehbench.board.boards import find, read_board
from bokehbench.cli import main
from bokehbench.data import IPhoneDepth, SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.measure.recorder import ResultRecorder
from bokehbench.models import Identity
from bokehbench.trainer import StagedTrainer


@pytest.fixture
def board(tmp_path):
    return make_scenes_board(tmp_path, columns=["psnr", "ssim"])


def test_from_python(board, data, output):
    """As a notebook would: no command line, so no configuration to look into."""
    trainer = StagedTrainer(
        callbacks=[ResultRecorder(str(board), str(output))], logger=False, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=output.parent,
    )  # fmt: skip
    trainer.test(Identity(), datamodule=data, verbose=False)
    return results.read(output)


test_from_python.__test__ = False


def scenes(**options):
    return SyntheticDoF(**{"size": 64, "aperture": 8, "test_samples": 3, "num_workers": 0, **options})


class Easy(SyntheticDoF):
    """The same names and settings, and as targets the inputs themselves."""

    def build(self):
        super().build()
        pictures, original = self.test_set, type(self.test_set)
        easy = type("Easy", (original,), {"__getitem__": lambda s, n: easy_item(original.__getitem__(s, n))})
        pictures.__class__ = easy

    def settings(self):
        return {**super().settings(), "class": "SyntheticDoF"}


def easy_item(item):
    return {**item, "bokeh": item["image"]}


@pytest.mark.parametrize("options", [{"size": 128}, {"aperture": 2.0}, {"scene_seed": 1}, {"focus_on": "front"}])
def test_other_settings_are_refused_from_python(tmp_path, options):
    arguments = {"size": 64, "aperture": 8, "test_samples": 3, "scene_seed": 0, "focus_on": "random"}
    board = make_scenes_board(tmp_path, columns=["psnr"], data={"name": "syntheticdof", "arguments": arguments})
    with pytest.raises(BokehbenchError, match="other pictures than tiny's"):
        test_from_python(board, scenes(**options), tmp_path / "result.json")
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize(
    "options", [{"disparity_input": "clean"}, {"corruption_probability": 0.0}, {"linear_light": False}]
)
def test_settings_that_the_board_does_not_name_are_the_data_sets_defaults(tmp_path, options):
    """The disparity that a method is given is seen in no target."""
    arguments = {"size": 64, "aperture": 8, "test_samples": 3}
    board = make_scenes_board(tmp_path, columns=["psnr"], data={"name": "syntheticdof", "arguments": arguments})
    with pytest.raises(BokehbenchError, match=f"other pictures than tiny's: {next(iter(options))}"):
        test_from_python(board, scenes(**options), tmp_path / "result.json")


def test_the_same_names_and_settings_with_other_targets_are_refused(board, tmp_path):
    data = Easy(size=64, aperture=8, test_samples=3, num_workers=0)
    with pytest.raises(BokehbenchError, match="the target of synthetic-test-000000 is another one"):
        test_from_python(board, data, tmp_path / "result.json")


def test_the_boards_own_pictures_are_accepted_and_ranked(board, tmp_path):
    by_hand = test_from_python(board, scenes(), tmp_path / "python.json")
    typed = test_on(board, tmp_path / "typed.json", "--model", "identity")
    assert by_hand.per_image == typed.per_image
    assert by_hand.id == typed.id
    assert main(["leaderboard", "add", str(tmp_path / "python.json"), "--board", str(board)]) == 0
    assert "| Identity |" in (board / "table.md").read_text()


def test_another_processors_rounding_is_no_other_picture(board, tmp_path):
    pinned = json.loads((board / "targets.json").read_text())
    moved = {name: [value + 1e-3 for value in values] for name, values in pinned.items()}
    (board / "targets.json").write_text(json.dumps(moved))
    test_on(board, tmp_path / "result.json", "--model", "identity")


def test_a_result_without_fingerprints_or_with_others_is_not_added(board, tmp_path):
    result = test_on(board, tmp_path / "result.json", "--model", "identity")
    with pytest.raises(BokehbenchError, match="does not tell its targets' fingerprints"):
        leaderboard.add(board, replace(result, fingerprints={}))
    shifted = {name: tuple(value / 2 for value in values) for name, values in result.fingerprints.items()}
    with pytest.raises(BokehbenchError, match="other pictures than tiny's"):
        leaderboard.add(board, replace(result, fingerprints=shifted))
    kept = dict(list(result.fingerprints.items())[1:])
    with pytest.raises(BokehbenchError, match="other pictures than tiny's"):
        leaderboard.add(board, replace(result, fingerprints=kept))


def test_files_are_held_to_the_board_by_their_hash(tmp_path, capsys):
    root = make_pairs(tmp_path / "pairs", size=(64, 72))
    data = {"name": "pairs", "arguments": {}}
    board = make_scenes_board(tmp_path, pinned=False, data=data, columns=["psnr", "ssim"])
    words = ["--model", "identity", "--data", "pairs", f"--data.root={root}", "--data.num_workers=0"]
    tail = [word for word in SCENES if not word.startswith("--data.")]

    def run(output):
        recorder = [f"--trainer.callbacks.board={board}", f"--trainer.callbacks.output={output}"]
        head = ["--trainer.callbacks+=bokehbench.benchmark.recorder.ResultRecorder", *recorder]
        return main(["test", *words, *tail, f"--trainer.default_root_dir={tmp_path}", *head])

    assert run(tmp_path / "first.json") == 0
    known = results.read(tmp_path / "first.json").target_hash
    with (board / "board.yaml").open("a") as file:
        file.write(f"target_hash: {known}\n")
    assert run(tmp_path / "again.json") == 0
    save(root / "target" / "b.png", picture(9, (64, 72)))
    capsys.readouterr()
    assert run(tmp_path / "other.json") == 2
    assert "other targets than tiny's" in capsys.readouterr().err
    assert not (tmp_path / "other.json").exists()


@pytest.mark.parametrize("options", [{"renderer": "layered"}, {"renderer": "scatter"}])
def test_targets_of_another_renderer_are_refused(tmp_path, options):
    """By the board of RGB-D photos that is ours; its own renderer is the data set's default."""
    root, board = make_rgbd(tmp_path / "photos", size=(64, 64)), find("iphone-depth")
    photos = {"root": root, "num_workers": 0, "train_fraction": 0.0}
    with pytest.raises(BokehbenchError, match=r"other pictures than iphone-depth's: renderer .* instead of raytraced"):
        test_from_python(board, IPhoneDepth(**photos, **options), tmp_path / "result.json")
    assert not (tmp_path / "result.json").exists()
    result = test_from_python(board, IPhoneDepth(**photos), tmp_path / "result.json")
    assert result.inference["data"]["renderer"] == "raytraced"
    other = {**result.inference["data"], **options}
    with pytest.raises(BokehbenchError, match="instead of raytraced"):
        leaderboard.admit(read_board(board), replace(result, inference={"data": other}))


def test_a_better_record_takes_the_place_of_a_poorer_one_where_the_scores_are_equal(board, tmp_path, capsys):
    result = test_on(board, tmp_path / "result.json", "--model", "identity")
    poorer = replace(result, versions={}, training={"outputs": "somewhere"})
    path = leaderboard.add(board, poorer)
    assert main(["leaderboard", "add", str(tmp_path / "result.json"), "--board", str(board)]) == 0
    assert "--replace takes this one" in capsys.readouterr().out
    assert results.read(path).versions == {}
    words = ["leaderboard", "add", str(tmp_path / "result.json"), "--board", str(board), "--replace"]
    assert main(words) == 0
    assert results.read(path).versions == result.versions
    drifted = {name: {**row, "psnr": row["psnr"] + 1} for name, row in result.per_image.items()}
    with pytest.raises(BokehbenchError, match="Drift"):
        leaderboard.add(board, replace(result, per_image=drifted), replace=True)
    shorter = {name: {"psnr": row["psnr"]} for name, row in result.per_image.items()}
    with pytest.raises(BokehbenchError, match="has ssim, which the new result lacks"):
        leaderboard.add(board, replace(result, per_image=shorter), replace=True)


def test_a_board_that_names_an_unknown_column_is_refused(tmp_path):
    with pytest.raises(BokehbenchError, match="no column 'psnr_boder'; did you mean 'psnr_border'"):
        read_board(make_scenes_board(tmp_path, pinned=False, columns=["psnr", "psnr_boder"]))


def test_the_metric_sees_pictures_not_tensors_that_share_memory(board, tmp_path):
    """An in-place change of the output after the test step must not move a score."""
    first = test_on(board, tmp_path / "one.json", "--model", "layered")
    torch.manual_seed(1)
    assert test_on(board, tmp_path / "two.json", "--model", "layered").per_image == first.per_image
