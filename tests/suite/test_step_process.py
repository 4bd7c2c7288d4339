"""A step tells how far it is, and why it failed, in a file: with a progress bar and without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from methods import TRAINABLE, stage_names, words

from bokehbench.callbacks import step_progress
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.status_file import PARENT, VARIABLE, read_status, write_status
from bokehbench.suite.step_process import run_step

METHOD = "deeplens"
STEPS = 4


@pytest.mark.parametrize("method", TRAINABLE)
def test_a_fit_tells_its_share_of_all_steps(method: str, tmp_path: Path, monkeypatch) -> None:
    """A minute of a short stage must not pass for a third of the run."""
    heard: list[tuple[float, str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress.json"))
    monkeypatch.setattr(step_progress, "PAUSE", 0.0)
    monkeypatch.setattr(step_progress, "write_status", lambda share, what: heard.append((share, what)))
    last = stage_names(method)[-1]
    assert main(["fit", *words(method, steps=1), f"--model.{last}.steps={STEPS}"]) == 0
    before = [(1, stage) for stage in stage_names(method)[:-1]] + [(1, last)] * STEPS
    total = len(stage_names(method)) - 1 + STEPS
    assert heard == [(round((at + 1) / total, 4), stage) for at, (_, stage) in enumerate(before)]


def test_a_test_tells_its_share_of_the_pictures(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress.json"))
    monkeypatch.setattr(step_progress, "PAUSE", 0.0)
    assert main(["test", *words("identity"), "--trainer.enable_progress_bar=false"]) == 0
    assert read_status(tmp_path / "progress.json") == {"ended": 0, "share": 1.0, "what": ""}


def test_nobody_listens_and_nothing_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    write_status(share=0.5, what="")
    assert not list(tmp_path.iterdir())
    assert read_status(tmp_path / "nowhere.json") == {}


def test_a_step_that_goes_on_for_long_is_heard(tmp_path: Path, monkeypatch) -> None:
    """Over the border of the process, while it waits inside a stage."""
    heard: list[tuple[float, str]] = []
    waiting = tmp_path / "waiting"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)

    def report(share: float, what: str) -> None:
        heard.append((share, what))
        if share:
            waiting.unlink(missing_ok=True)

    wait = [
        "--trainer.callbacks+=kill_at.WaitAt",
        "--trainer.callbacks.step=2",
        f"--trainer.callbacks.waiting={waiting}",
    ]
    place = f"--trainer.default_root_dir={tmp_path}"
    run_step(["fit", *words(METHOD, steps=3), *wait, place], tmp_path / "fit.log", report)
    share, stage = next(each for each in heard if each[0])
    assert 0 < share < 1
    assert stage == stage_names(METHOD)[0]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (["test", *words("layered"), "--model.layers=0"], "^--model.layers 0: give 1 or more"),
        (["test", *words("layered"), "--trainer.callbacks+=kill_at.CrashAtTest"], "^ZeroDivisionError: by zero"),
        (["test", *words("layered"), "--trainer.callbacks+=kill_at.SignalAtTest"], "^Stopped by SIGTERM"),
        (
            ["fit", *words(METHOD), "--trainer.callbacks+=kill_at.KillAt", "--trainer.callbacks.step=1"],
            "^killed by signal 9, probably for lack of memory",
        ),
    ],
)
def test_a_step_that_fails_says_why(tmp_path: Path, monkeypatch, forked_steps, step, why) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
    place = f"--trainer.default_root_dir={tmp_path}"
    (tmp_path / "progress.json").write_text(json.dumps({"failed": "an earlier one"}))
    with pytest.raises(BokehbenchError, match=why):
        run_step([*step, place], tmp_path / "step.log", lambda share, what: None)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for a signal")
@pytest.mark.parametrize("ended", [False, True])
def test_a_step_whose_runner_ended_before_it_began_ends_at_once(ended: bool) -> None:
    code = "from bokehbench.status_file import end_with_parent; end_with_parent()"
    environment = {**os.environ, PARENT: "1" if ended else str(os.getpid())}
    status = subprocess.run([sys.executable, "-c", code], env=environment).returncode
    assert status == (-signal.SIGKILL if ended else 0)
