"""A collection: suites one after the other, with their own options, from fits that they share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from made_boards import make_board
from methods import SMALL

from bokehbench import experiments
from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.commands.benchmark import arguments, of_line, runner_of
from bokehbench.suite.collection import read_collection

DATA = {"name": "syntheticdof", "arguments": {"size": 64, "aperture": 8, "test_samples": 2}}
COLLECTIONS = [path for path in sorted((experiments.folder() / "suites").glob("*.yaml")) if read_collection(path)]


@pytest.fixture
def boards(tmp_path: Path) -> list[Path]:
    """Two boards of the same scenes, one with fewer."""
    made = []
    for name, count in (("first", 2), ("second", 1)):
        data = {**DATA, "arguments": {**DATA["arguments"], "test_samples": count}}
        home = tmp_path / name
        home.mkdir()
        made.append(make_board(home, count=count, ids=None, protocol="bokehme", columns=["psnr"], data=data))
    return made


def written(folder: Path, *lines: str, **more: object) -> list[str]:
    """A collection; returns the command that runs it."""
    path = folder / "all.yaml"
    path.write_text(yaml.safe_dump({"suites": list(lines), **more}))
    return ["benchmark", str(path), "--folder", str(folder / "work")]


def write_suite(folder: Path, board: Path, *experiments: object, **more: object) -> Path:
    path = folder / "mine.yaml"
    options = {"data.num_workers": 0, "trainer.accelerator": "cpu"}
    path.write_text(yaml.safe_dump({"board": str(board), "options": options, "experiments": list(experiments), **more}))
    return path


def methods(board: Path) -> set[str]:
    return {result.method for result in results.read_all(board)}


def test_lines_have_their_own_options_and_share_their_fits(tmp_path: Path, boards, capsys, forked_steps) -> None:
    first, second = boards
    fit = {f"model.{key}": value for key, value in SMALL["pix2pix"].items()}
    fit |= {
        f"model.translation.{key}": value
        for key, value in {"steps": 1, "batch_size": 1, "height": 64, "width": 64}.items()
    }
    fit |= {"data.size": 64, "data.val_samples": 1}
    path = write_suite(tmp_path, first, "identity", {"name": "short", "model": "pix2pix", "fit": fit})
    command = written(tmp_path, str(path), f"{path} --only short --board '{second}'")
    assert main(command) == 0
    assert methods(first) == {"Identity", "Pix2Pix"}
    assert methods(second) == {"Pix2Pix"}
    assert len(list(tmp_path.glob("work/fits/*/done.json"))) == 1
    one, other = (next(r for r in results.read_all(board) if r.method == "Pix2Pix") for board in boards)
    assert one.weights_hash == other.weights_hash
    assert one.variant == other.variant == "short"

    logs = {log: log.stat().st_mtime_ns for log in tmp_path.glob("work/**/*.log")}
    assert len(logs) == 4
    assert main(command) == 0
    assert {log: log.stat().st_mtime_ns for log in logs} == logs
    assert "was done before" in capsys.readouterr().out


def test_what_is_wrong_in_a_line_is_said_before_anything_runs(tmp_path: Path, boards, capsys) -> None:
    path = write_suite(tmp_path, boards[0], "identity")
    for bad, said in (
        (f"{path} --only nobody", "no experiment 'nobody'"),
        ("quik", "There is no suite 'quik'"),
        (f"{path} --data.size", "in one word"),
        (f"{path} '", "unpaired quotes"),
        (str(path), "twice"),
    ):
        assert main(written(tmp_path, str(path), bad)) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
    assert main([*written(tmp_path, str(path)), "--only", "identity"]) == 2
    assert "--only belongs to one suite" in capsys.readouterr().err
    assert main(written(tmp_path, str(path), experiments=["identity"])) == 2
    assert "experiments" in capsys.readouterr().err


def test_inputs_go_to_the_lines_that_ask_for_them(tmp_path: Path, boards, capsys) -> None:
    one = write_suite(tmp_path, boards[0], "identity")
    asks = tmp_path / "asks.yaml"
    asks.write_text(one.read_text() + yaml.safe_dump({"inputs": {"photos": "a folder"}}))
    command = written(tmp_path, str(one), str(asks))
    options, extra = arguments([*command[1:], "--input", f"photos={tmp_path}"])
    given = [runner_of(*of_line(line, options, extra)).inputs for line in read_collection(tmp_path / "all.yaml")]
    assert given == [{}, {"photos": tmp_path}]
    assert main([*command, "--input", f"nothing={tmp_path}"]) == 2
    assert "photos (a folder)" in capsys.readouterr().err


@pytest.mark.parametrize("path", COLLECTIONS, ids=[path.stem for path in COLLECTIONS])
def test_every_line_of_ours_can_be_run(path: Path, tmp_path: Path) -> None:
    options, extra = arguments([str(path), "--folder", str(tmp_path)])
    runners = [runner_of(*of_line(line, options, extra)) for line in read_collection(path)]
    assert len({runner.folder for runner in runners}) == len(runners)
    assert {runner.fits for runner in runners} == {tmp_path / "fits"}
