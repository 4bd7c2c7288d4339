"""The runner: what is done stays done, what fails stops nobody, and who was killed goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_boards import make_board
from methods import SMALL, TRAINABLE, stage_names

import bokehbench
from bokehbench import experiments
from bokehbench.board import results
from bokehbench.checkpoints import write_checkpoint
from bokehbench.cli import main
from bokehbench.data import open_data
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.models.weights import weights_hash
from bokehbench.suite import job
from bokehbench.suite.experiment import words
from bokehbench.suite.runner import Runner
from bokehbench.suite.step_process import StepBar
from bokehbench.suite.suite import read_suite

METHOD = "deeplens"


@pytest.fixture
def board(tmp_path: Path) -> Path:
    data = {"name": "syntheticdof", "arguments": {"size": 64, "blur_radius": 8, "test_samples": 3}}
    return make_board(tmp_path, count=3, ids=None, protocol="bokehme", columns=["psnr", "ssim"], data=data)


def trained(steps: int = 1, **more: object) -> dict[str, object]:
    """A fit of seconds."""
    fit: dict[str, object] = {f"model.{key}": value for key, value in SMALL[METHOD].items()}
    for stage in stage_names(METHOD):
        for key, value in {"steps": steps, "batch_size": 2, "view": "crop", "height": 64, "width": 64}.items():
            fit[f"model.{stage}.{key}"] = value
    return {"model": METHOD, "fit": {**fit, "data.size": 64, "data.blur_radius": 8, "data.val_samples": 1, **more}}


def suite(board: Path, *experiments: object) -> list[str]:
    """Write a suite beside the board; returns the command that runs it."""
    path = board.parents[1] / "mine.yaml"
    options = {"data.num_workers": 0, "trainer.accelerator": "cpu"}
    path.write_text(yaml.safe_dump({"board": str(board), "options": options, "experiments": list(experiments)}))
    return ["benchmark", str(path), "--folder", str(board.parents[1] / "work")]


def stored(board: Path) -> dict[str, results.Result]:
    return {result.method: result for result in results.read_all(board)}


def test_a_suite_ends_with_a_board_and_runs_nothing_twice(board: Path, capsys, forked_steps) -> None:
    broken = {"name": "broken", "model": "layered", "test": {"model.layers": 0}}
    command = suite(board, "identity", trained(), broken)
    assert main(command) == 1
    printed = capsys.readouterr().out
    assert "1 of 3 experiments FAILED" in printed
    assert "--model.layers 0: give 1 or more" in printed
    assert set(stored(board)) == {"DeepLens", "Identity"}
    assert "DeepLens" in (board / "table.md").read_text()

    fitted = stored(board)["DeepLens"]
    assert set(fitted.per_image) == {f"synthetic-test-{number:06d}" for number in range(3)}
    assert fitted.parameters == sum(p.numel() for p in MODELS[METHOD](**SMALL[METHOD]).parameters())
    assert fitted.architecture["channels"] == SMALL[METHOD]["channels"]
    assert fitted.training["stages"]["depth"]["steps"] == 1
    assert fitted.training["data"]["class"] == "SyntheticDoF"
    assert fitted.seed == 0
    assert fitted.macs
    assert fitted.macs_size == (64, 64)
    assert fitted.seconds_per_image > 0
    assert fitted.peak_memory > 1e7
    assert len(fitted.weights_hash) == 64
    assert stored(board)["Identity"].weights_hash == "no weights"
    assert fitted.target_hash == stored(board)["Identity"].target_hash

    logs = {path: path.stat().st_mtime_ns for path in board.parents[1].glob("work/*/*/*.log")}
    repaired = {"name": "broken", "model": "layered", "test": {"model.layers": 8}}
    assert main(suite(board, "identity", trained(), repaired)) == 0
    assert "was done before" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == when for path, when in logs.items())
    assert set(stored(board)) == {"DeepLens", "Identity", "Layered"}


def test_a_method_is_tested_with_the_weights_that_come_with_it(board: Path, forked_steps) -> None:
    assert main(suite(board, {"name": "shipped", "model": METHOD, "fit": False}, {"model": METHOD, **trained()})) == 0
    rows = {result.variant: result for result in results.read_all(board)}
    assert set(rows) == {"shipped", ""}
    assert rows["shipped"].weights_hash == weights_hash(bokehbench.load(METHOD).model)
    assert not list((board.parents[1] / "work" / "shipped").glob("fit-*"))


def test_a_changed_configuration_is_fitted_again_and_a_comment_changes_nothing(board: Path) -> None:
    configuration = board.parents[1] / "configuration.yaml"
    file = Path(suite(board, {"model": METHOD, "config": str(configuration)})[1])

    def place(content: str) -> Path:
        configuration.write_text(content)
        read = read_suite(file)
        return Runner(read, board.parents[1] / "work")._fit_step(read.experiments[0])[1]

    first = place("model: {class_path: DeepLens, init_args: {depth: {steps: 1}}}")
    assert place("# longer?\nmodel: {class_path: DeepLens, init_args: {depth: {steps: 1}}}") == first
    assert place("model: {class_path: DeepLens, init_args: {depth: {steps: 2}}}") != first


def test_a_step_is_done_when_what_it_wrote_is_there_and_whole(board: Path, monkeypatch) -> None:
    """A test without its result, and a fit whose newest checkpoint is cut short, are run again."""
    read = read_suite(Path(suite(board, "identity", trained())[1]))
    work = Runner(read, board.parents[1] / "work")
    fitted, called = work._fit_step(work.experiments["deeplens"])[1], []
    checkpoints = fitted / "deeplens" / "version_0" / "checkpoints"

    def step(command, log, report, environment, here) -> None:
        called.append(command)
        if command[0] == "fit":
            for name in ("last.ckpt", "depth.ckpt"):
                write_checkpoint({"state_dict": {}}, checkpoints / name)

    monkeypatch.setattr(job, "run_step", step)
    outcomes = work.run()
    assert all("result.json" in outcome.failure for outcome in outcomes)  # no test said what it measured
    assert not list(work.folder.rglob("test-*/done.json"))
    assert (fitted / "done.json").is_file()
    assert [command[0] for command in called] == ["test", "fit", "test"]
    work.run()
    assert [command[0] for command in called[3:]] == ["test", "test"]
    last = checkpoints / "last.ckpt"
    last.write_bytes(last.read_bytes()[:-1])
    work.run()
    assert [command[0] for command in called[5:]] == ["test", "fit", "test"]
    assert called[6][called[6].index("--checkpoint") + 1] == str(checkpoints / "depth.ckpt")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_runner_leaves_nothing_running_and_goes_on_inside_the_fit(
    board: Path, monkeypatch, forked_steps
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
    waiting = board.parents[1] / "waiting"
    callbacks = [
        {"class_path": "bokehbench.callbacks.StageCheckpoints", "init_args": {"every_n_steps": 1}},
        {"class_path": "kill_at.WaitAt", "init_args": {"step": 3, "waiting": str(waiting)}},
    ]
    command = suite(board, "identity", trained(4, **{"trainer.callbacks": callbacks}))
    process = subprocess.Popen([sys.executable, "-m", "bokehbench", *command], stderr=subprocess.DEVNULL)
    work = board.parents[1] / "work"
    end = time.monotonic() + 200
    while not waiting.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert children
    while time.monotonic() < end and any(alive(int(child)) for child in children):
        time.sleep(0.05)
    assert not any(alive(int(child)) for child in children)
    assert list(work.glob("deeplens/fit-*/**/last.ckpt"))
    assert not list(work.glob("deeplens/fit-*/done.json"))

    first = next(work.glob("identity/test-*/test.log")).stat().st_mtime_ns
    assert main(command) == 0
    assert next(work.glob("identity/test-*/test.log")).stat().st_mtime_ns == first
    mark = json.loads(next(work.glob("deeplens/fit-*/done.json")).read_text())
    assert mark["resumed"]
    assert set(stored(board)) == {"DeepLens", "Identity"}


def alive(process: int) -> bool:
    """Whether it runs; a zombie that nobody waits for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_two_processes_give_the_scores_of_one(board: Path) -> None:
    command = suite(board, "scatter")
    assert main(command) == 0
    one = stored(board)["Scatter"]
    assert main([*command, "--trainer.devices=2", "--trainer.strategy=ddp"]) == 0
    files = list((board.parents[1] / "work").glob("scatter/test-*/result.json"))
    assert len(files) == 2
    two = next(result for file in files if (result := results.read(file)).device.endswith("x 2"))
    assert two.per_image == one.per_image
    assert (two.id, two.prediction_hash, two.target_hash) == (one.id, one.prediction_hash, one.target_hash)
    assert len(list(board.glob("results/*/*.json"))) == 1


def test_a_new_version_of_the_board_is_measured_again(board: Path, forked_steps) -> None:
    command = suite(board, "identity")
    assert main(command) == 0
    path = board / "board.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: 2"))
    assert main(command) == 0
    assert sorted(result.board_version for result in results.read_all(board)) == [1, 2]


def test_two_runners_do_not_share_a_folder(board: Path, capsys) -> None:
    from bokehbench.suite.step_process import alone

    command = suite(board, "identity")
    with alone(board.parents[1] / "work"):
        assert main(command) == 2
    assert "another benchmark is at work" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ({"experiments": ["identty"]}, "identity"),
        ({"experiments": []}, "experiments: all"),
        ({"experiments": ["identity", "identity"]}, "two experiments called"),
        ({"experiment": ["identity"]}, "experiments"),
        ({"experiments": [{"model": "identity", "tests": {}}]}, "test"),
        ({"experiments": [{"name": "x"}]}, "'model'"),
        ({"experiments": [{"model": "deeplens", "checkpoint": "nowhere.ckpt"}]}, "nowhere.ckpt"),
        ({"experiments": ["identity"], "board": "ebb-val294", "data": {"name": "ebb"}}, "both a board and data"),
    ],
)
def test_a_wrong_suite_is_answered_with_what_to_mend(tmp_path: Path, content, hint) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(BokehbenchError, match=hint):
        read_suite(path)


def test_other_words_than_trainers_and_datas_are_refused(board: Path, capsys) -> None:
    assert main([*suite(board, "identity"), "--model.layers=3"]) == 2
    assert "--model.layers=3" in capsys.readouterr().err
    assert main([*suite(board, "identity"), "--only", "scater"]) == 2
    assert main(["benchmark", "quik"]) == 2
    assert "did you mean 'quick'" in capsys.readouterr().err


def test_the_quick_suite_compares_every_method() -> None:
    quick = read_suite(experiments.find("quick", "suite"))
    assert {experiment.model for experiment in quick.experiments} == set(MODELS) - {"combination", "external"}
    assert {experiment.model for experiment in quick.experiments if experiment.fits} == set(TRAINABLE)


def test_options_become_words_that_the_command_line_reads_back() -> None:
    assert words({"data.size": [64, 96], "model.loss": "l1", "model.weights": None, "data": "ebb"}) == [
        "--data=ebb",
        "--data.size=[64, 96]",
        "--model.loss=l1",
    ]


def test_the_bar_moves_on_in_a_long_step_after_a_quick_one(capsys) -> None:
    with StepBar(4, "mine", mininterval=0.0) as bar:
        bar.move(1.0, "quick, test")
        bar.move(1.01, "long, fit")
        assert "long, fit" in capsys.readouterr().err


def test_no_step_is_left_behind() -> None:
    """The runner's steps end with it, so this process has no children when the tests above are done."""
    if sys.platform == "linux":
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        commands = [Path(f"/proc/{child}/cmdline").read_text() for child in children]
        assert not [command for command in commands if "bokehbench" in command.split("\0")]


def test_experiments_without_an_input_are_named_and_not_run_and_with_it_they_are(
    board: Path, tmp_path, capsys, forked_steps
) -> None:
    maps = tmp_path / "maps"
    data = open_data("syntheticdof", size=64, aperture=8, test_samples=3)
    data.setup("test")
    maps.mkdir()
    for item in (data.test_set[index] for index in range(3)):
        np.save(maps / f"{item['name']}.npy", item["true_disparity"][0].numpy())
    learned = {"name": "learned", **trained(**{"model.stages": ["rendering"], "data.backgrounds": "{photos}"})}
    renderer = {"model.renderer": "{learned}"}
    both = {"model.depth": "folder:{maps}", **renderer}
    after = {"model.depth": "checkpoint:{unneeded}", **renderer}
    content = {
        "board": str(board), "options": {"data.num_workers": 0, "trainer.accelerator": "cpu"},
        "inputs": {"maps": "a folder of maps", "photos": "a folder of photos"},
        "experiments": [
            "identity",
            {"name": "mapped", "model": "combination", "test": {"model.depth": "folder:{maps}"}},
            {"name": "unneeded", "test": False, **trained()},
            {**learned, "test": False},
            {"name": "both", "model": "combination", "test": both},
            {"name": "after-unneeded", "model": "combination", "test": after},
        ],
    }  # fmt: skip
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    command = ["benchmark", str(path), "--folder", str(tmp_path / "work")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "not run: mapped: it needs a folder of maps, --input maps=PATH." in said
    assert "not run: after-unneeded: it starts from 'learned', and it needs a folder of photos" in said
    assert set(stored(board)) == {"Identity"}
    assert not (tmp_path / "work" / "unneeded").exists()  # nothing that can be run starts from it
    assert "not run: mapped" in (tmp_path / "work" / "table.md").read_text()
    assert main([*command, "--input", f"maps={maps}"]) == 0
    said = capsys.readouterr().out
    assert "not run: mapped" not in said
    assert "not run: both" in said
    assert set(stored(board)) == {"Identity", "Combination"}
    assert main([*command, "--input", "map=x"]) != 0
    assert "the suite asks for: maps (a folder of maps)" in capsys.readouterr().err
    assert main([*command, "--input", f"photos={tmp_path / 'no'}"]) != 0
    assert "there is nothing at" in capsys.readouterr().err
