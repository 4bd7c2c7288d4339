"""Suites on a Dask scheduler and workers that are processes of their own: equal to one process, whoever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from forked import SUBPROCESS, start
from made_boards import make_board
from methods import SMALL, stage_names

from bokehbench import __version__
from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.suite import side_by_side
from bokehbench.suite.dependencies import before, steps
from bokehbench.suite.experiment import Experiment
from bokehbench.suite.job import Job
from bokehbench.suite.on_worker import blind

pytest.importorskip("distributed", reason="Dask is an extra: pip install 'bokehbench[cluster]'")
if sys.platform != "linux":
    pytest.skip("steps end with their worker on Linux alone", allow_module_level=True)
METHOD = "aperture"
TESTS = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
ENVIRONMENT["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "5s"  # so soon a scheduler that is gone is given up


def make_suite(home: Path) -> tuple[Path, list[str]]:
    """A board and the command of a suite of seconds; its fit waits before the third step while ``waiting`` is there."""
    data = {"name": "syntheticdof", "arguments": {"size": 64, "blur_radius": 8, "test_samples": 2}}
    board = make_board(home, count=2, ids=None, protocol="bokehme", columns=["psnr", "ssim"], data=data)
    fit: dict[str, object] = {f"model.{key}": value for key, value in SMALL[METHOD].items()}
    for stage in stage_names(METHOD):
        for key, value in {"steps": 4, "batch_size": 2, "view": "crop", "height": 64, "width": 64}.items():
            fit[f"model.{stage}.{key}"] = value
    fit["trainer.callbacks"] = [
        {"class_path": "bokehbench.callbacks.StageCheckpoints", "init_args": {"every_n_steps": 1}},
        {"class_path": "kill_at.WaitAt", "init_args": {"step": 2, "waiting": str(home / "waiting")}},
    ]
    options = {"data.num_workers": 0, "trainer.accelerator": "cpu"}
    fit |= {"data.size": 64, "data.blur_radius": 8, "data.val_samples": 1}
    experiments = ["identity", {"model": METHOD, "fit": fit}]
    content = {"board": str(board), "options": options, "experiments": experiments}
    (home / "mine.yaml").write_text(yaml.safe_dump(content))
    return board, ["benchmark", str(home / "mine.yaml"), "--folder", str(home / "work")]


def until(there: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.1)


@contextmanager
def dask(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """``dask WORDS`` as a process of its own, which ends with the block."""
    process = subprocess.Popen([sys.executable, "-m", "dask", *words], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def cluster(home: Path, workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler, which writes ``scheduler.json``, and so many workers."""
    file = home / "scheduler.json"
    at = ["--scheduler-file", str(file)]
    with dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *at) as scheduler:
        until(file.exists)
        words = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--preload", "forked_worker", *at]
        with dask("worker", *words) as first:
            if workers == 1:
                yield [scheduler, first]
                return
            with dask("worker", *words) as second:
                yield [scheduler, first, second]


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in found for child in each.read_text().split()]


def steps_of(worker: subprocess.Popen[bytes]) -> list[int]:
    """The steps are children of a process that forks them, which is the worker's child."""
    return [step for child in children(worker.pid) for step in children(child)]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_step_begins_after_the_steps_that_it_needs() -> None:
    fit = Experiment("first", METHOD)
    other = Experiment("other", METHOD, origin="first")
    both = Experiment("both", METHOD, fit={"model.weights": "{other}"})
    alone = Experiment("alone", "identity")
    todo = steps([both, other, fit, alone])
    assert before([both, other, fit, alone], todo) == {
        ("first", "fit"): set(),
        ("both", "fit"): {("first", "fit")},
        ("both", "test"): {("both", "fit")},
        ("other", "test"): {("first", "fit")},
        ("first", "test"): {("first", "fit")},
        ("alone", "test"): set(),
    }


def test_a_worker_that_sees_other_files_or_is_of_another_version_says_so(tmp_path: Path) -> None:
    assert blind([tmp_path], __version__) is None
    assert "does not see" in str(blind([tmp_path, tmp_path / "none"], __version__))
    assert "install the same version" in str(blind([tmp_path], "0.0.0"))


def test_a_suite_that_measures_time_refuses_workers_that_would_disturb_it(tmp_path: Path, capsys) -> None:
    _, command = make_suite(tmp_path)
    assert main([*command, "--workers", "2", "--exclusive"]) == 2
    assert "the suite measures time" in capsys.readouterr().err
    assert main([*command, "--scheduler", str(tmp_path / "none")]) == 2
    assert "no Dask scheduler answers" in capsys.readouterr().err


def test_what_a_step_asks_of_its_worker(tmp_path: Path) -> None:
    """A GPU where the recipe wants one, or takes one where there is one; the machine where time is measured."""

    def wanted(accelerator: str, exclusive: bool = False, **offered: float) -> dict[str, float]:
        job = Job("mine", ("fit",), tmp_path, accelerator=accelerator)
        return side_by_side.resources(job, exclusive, [{"resources": offered}, {}])

    assert wanted("cpu", GPU=1) == {}
    assert wanted("auto") == {}
    assert wanted("auto", GPU=1) == {"GPU": 1}
    assert wanted("gpu") == {"GPU": 1}
    assert wanted("cpu", exclusive=True) == {"MACHINE": 1}


def scores(board: Path) -> dict[str, object]:
    """What the board says, times apart."""
    found = results.read_all(board)
    return {each.method: (each.id, each.weights_hash, each.prediction_hash, each.per_image) for each in found}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one process says."""
    home = tmp_path_factory.mktemp("alone")
    board, command = make_suite(home)
    (home / "waiting.done").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bokehbench.suite.step_process.subprocess", SUBPROCESS)
        patch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
        assert main(command) == 0
    return scores(board)


def test_the_fit_of_a_killed_worker_goes_on_on_another(tmp_path: Path, expected) -> None:
    board, command = make_suite(tmp_path)
    said = tmp_path / "said.txt"
    with cluster(tmp_path, 2) as (_, *workers):
        runner = start([*command, "--scheduler", str(tmp_path / "scheduler.json")], tmp_path, said, ENVIRONMENT)
        until(lambda: runner.poll() is not None or (tmp_path / "waiting").exists())
        until(lambda: runner.poll() is not None or list(tmp_path.glob("work/identity/*/done.json")))
        assert runner.poll() is None, said.read_text()
        (busy,) = (worker for worker in workers if steps_of(worker))
        (step,) = steps_of(busy)
        for process in (busy.pid, *children(busy.pid)):
            os.kill(process, signal.SIGKILL)
        until(lambda: not alive(step))
        (tmp_path / "waiting").unlink()
        assert runner.wait(300) == 0, said.read_text()
    assert scores(board) == expected
    mark = json.loads(next(tmp_path.glob("work/*/fit-*/done.json")).read_text())
    assert mark["resumed"]
    assert mark["machine"]
    assert len(list(tmp_path.glob("work/*/fit-*/*/version_*"))) == 2  # one was killed, one went on
    assert len(list(tmp_path.glob("work/*/test-*"))) == 2


def test_after_a_killed_scheduler_the_same_command_goes_on(tmp_path: Path, monkeypatch, expected, forked_steps) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
    board, command = make_suite(tmp_path)
    said = tmp_path / "said.txt"
    with cluster(tmp_path, 1) as (scheduler, worker):
        more = ["--scheduler", str(tmp_path / "scheduler.json"), "--only", METHOD]
        runner = start([*command, *more], tmp_path, said, ENVIRONMENT)
        until(lambda: runner.poll() is not None or (tmp_path / "waiting").exists())
        (step,) = steps_of(worker)
        scheduler.kill()
        (tmp_path / "waiting").unlink()
        assert runner.wait(300) == 2
        until(lambda: not alive(step))
    assert "The Dask scheduler has ended" in said.read_text()
    assert "Traceback" not in said.read_text(), said.read_text()
    assert main(command) == 0
    assert scores(board) == expected


def test_workers_of_our_own(tmp_path: Path, capsys) -> None:
    board, command = make_suite(tmp_path)
    assert main([*command, "--only", "identity", "--workers", "1"]) == 0
    assert set(scores(board)) == {"Identity"}
    assert "test done" in capsys.readouterr().out
    assert not list(tmp_path.glob("work/.probe*"))
