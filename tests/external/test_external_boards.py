"""A method that is a command, beside ours: tests, boards, suites, verification, and files of strangers that name it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from measured_boards import make_scenes_board, test_on
from test_check import TOY, described

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models.external import External
from bokehbench.models.load import load_model

HERE = Path(__file__).parent
STORE = "--trainer.callbacks.pictures=3"


@pytest.fixture(scope="module")
def board(tmp_path_factory) -> Path:
    return make_scenes_board(tmp_path_factory.mktemp("boards"), columns=["psnr", "ssim", "psnr_border"])


@pytest.fixture(scope="module")
def tested(board):
    """The toy's result on the board, its pictures stored."""
    output = board.parents[1] / "toy" / "result.json"
    result = test_on(board, output, "--model", str(TOY), STORE)
    assert main(["leaderboard", "add", str(output), "--board", str(board)]) == 0
    return result


def test_through_files_the_scores_are_those_of_the_process(tmp_path) -> None:
    """To the last bit: a renderer of ours as a command, given floats. One picture, for which it imports torch."""
    data = {"name": "syntheticdof", "arguments": {"size": 64, "test_samples": 1, "aperture": 8}}
    board, one = make_scenes_board(tmp_path, count=1, data=data, columns=["psnr"]), "--data.test_samples=1"
    files = {"image": "npy", "map": {"format": "npy"}, "output": "{outputs}/{name}.npy"}
    command = ["{python}", str(HERE / "same.py"), "{manifest}"]
    path = described(tmp_path / "a.yaml", **files, command=command)
    same = test_on(board, tmp_path / "1" / "r.json", one, "--model", str(path))
    ours = test_on(board, tmp_path / "2" / "r.json", one, "--model", "layered")
    assert same.per_image == ours.per_image
    assert same.prediction_hash == ours.prediction_hash


def test_its_row_says_that_it_is_external_and_whose(board, tested) -> None:
    assert tested.method == "Toy (external)"
    assert tested.architecture["description"]["version"] == "toy 1.0"
    assert len(tested.architecture["description"]["sha256"]) == 64
    assert tested.training["code"]["distribution"] == "Toy"
    assert tested.training["licence"] == "none"
    assert tested.weights_hash == "unknown origin"
    assert (tested.parameters, tested.macs, tested.peak_memory) == (None, None, None)
    assert "| Toy (external) |" in (board / "table.md").read_text()
    assert str(HERE) not in tested.to_json()
    assert main(["leaderboard", "check", str(board)]) == 0


def test_another_description_or_version_is_another_result(board, tested, tmp_path) -> None:
    (tmp_path / "toy.py").write_text((HERE / "toy.py").read_text())
    content = yaml.safe_load(TOY.read_text())
    ids = {tested.id}
    for number, more in enumerate(({}, {"seconds": 50.0}, {"version": "2.0"})):
        path = tmp_path / f"{number}.yaml"
        path.write_text("# a comment changes nothing\n" + yaml.safe_dump(content | more))
        ids.add(
            test_on(board, tmp_path / str(number) / "r.json", "--model", "external", f"--model.description={path}").id
        )
    assert len(ids) == 3, "the same words in another folder and under another name are the same method"


def test_verify_runs_no_command_and_scores_what_was_stored(board, tested, capsys) -> None:
    words = ["leaderboard", "verify", tested.id, "--board", str(board)]
    assert main(words) == 2
    assert "is of an external method, whose command no file may run" in (said := capsys.readouterr().err)
    assert "--outputs FOLDER" in said
    stored = board.parents[1] / "toy" / "pictures"
    assert main([*words, "--outputs", str(stored)]) == 0
    assert "VERIFIED but for how the pictures were made (the stored ones were scored" in capsys.readouterr().out
    picture, other = sorted((stored / "output").glob("*.png"))[:2]
    kept = picture.read_bytes()
    picture.write_bytes(other.read_bytes())
    assert main([*words, "--outputs", str(stored)]) == 1
    assert "NOT VERIFIED" in capsys.readouterr().out
    picture.unlink()
    assert main([*words, "--outputs", str(stored)]) == 2
    assert picture.name in capsys.readouterr().err
    picture.write_bytes(kept)


def test_a_suite_runs_it_and_again_where_its_description_changed(board, tmp_path, capsys, forked_steps) -> None:
    path = described(tmp_path / "toy.yaml")
    experiments = [{"model": "external", "name": "mine", "test": {"model.description": str(path)}}, "identity"]
    suite = {"board": str(board), "experiments": experiments, "options": {"data.num_workers": 0}}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    words = ["benchmark", str(tmp_path / "suite.yaml"), "--folder", str(tmp_path / "work"), "--trainer.accelerator=cpu"]
    assert main(words) == 0
    assert "Toy (external) (mine)" in (board / "table.md").read_text()
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out.count("was done before") == 2
    described(tmp_path / "toy.yaml", seconds=50.0)
    assert main(words) == 0
    assert capsys.readouterr().out.count("was done before") == 1
    assert {result.method for result in results.read_all(board)} >= {"Toy (external)", "Identity"}


def test_a_photo_is_rendered(tmp_path) -> None:
    from makers import picture, ramp, save

    photo, disparity = save(tmp_path / "a.png", picture(0)), save(tmp_path / "d.png", ramp())
    words = ["--disparity", str(disparity), "--focus", "30,12", "--aperture", "4", "-o", str(tmp_path / "out.png")]
    assert main(["render", str(photo), "--model", str(TOY), *words]) == 0
    assert (tmp_path / "out.png").is_file()


def test_a_failure_in_a_test_names_the_picture(board, tmp_path, capsys) -> None:
    path = described(tmp_path / "toy.yaml", command=["{python}", "-c", "raise SystemExit('no memory')"])
    with pytest.raises(AssertionError):
        test_on(board, tmp_path / "r.json", "--model", str(path))
    said = capsys.readouterr().err
    assert "synthetic-test-000000: Toy, batch of 1: the command ended with exit status 1" in said
    assert "the last line of its errors: no memory" in said


@pytest.mark.parametrize("verb", [["test"], ["render", "a.png", "-o", "b.png"], ["predict"]])
def test_a_checkpoint_that_names_one_runs_nothing(tmp_path, capsys, verb) -> None:
    """Whatever it says, and even beside a description that was put there with it."""
    sign = tmp_path / "it-ran"
    path = described(tmp_path / "evil.yaml", command=["touch", str(sign)], version=["touch", str(sign)])
    method = "bokehbench.models.external.External"
    record = {"model": "External", "provenance": {"method": method}, "stages": [], "stage": None}
    content = {"bokehbench": record, "hyper_parameters": {"description": str(path)}, "state_dict": {}}
    torch.save(content, tmp_path / "evil.ckpt")
    with pytest.raises(BokehbenchError, match="whose command no file may run"):
        load_model(tmp_path / "evil.ckpt", External)
    assert main([*verb, "--checkpoint", str(tmp_path / "evil.ckpt")]) == 2
    combined = ["--model", "combination", f"--model.renderer={tmp_path / 'evil.ckpt'}"]
    assert main(["render", "a.png", *combined, "-o", "b.png"]) == 2
    assert "no file may run" in capsys.readouterr().err
    assert not sign.exists()


def test_nor_does_a_result_that_does(board, tested, tmp_path, capsys) -> None:
    sign = tmp_path / "it-ran"
    path = described(tmp_path / "evil.yaml", command=["touch", str(sign)], version=["touch", str(sign)])
    content = json.loads(tested.to_json())
    for method in ("Toy (external)", "External"):
        content |= {"architecture": {"description": str(path)}, "method": method}
        with pytest.raises(BokehbenchError) as refused:  # its id, which a stranger can make to fit
            results.Result.from_json(json.dumps(content))
        content["id"] = str(refused.value).rpartition("hashes to ")[2].partition(",")[0]
        (tmp_path / "evil.json").write_text(json.dumps(content))
        folder = make_scenes_board(tmp_path / method, columns=["psnr", "ssim", "psnr_border"])
        assert main(["leaderboard", "add", str(tmp_path / "evil.json"), "--board", str(folder)]) == 0
        assert main(["leaderboard", "verify", content["id"], "--board", str(folder)]) == 2
        assert "no file may run" in capsys.readouterr().err
    assert not sign.exists()
