"""Runs a suite: fit, test, add to the board, one experiment after the other; what is done stays done."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from bokehbench.benchmark import boards, leaderboard, results
from bokehbench.benchmark.results import Result
from bokehbench.benchmark.step_process import run_step
from bokehbench.benchmark.suite import Experiment, Suite, fingerprint
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import write_text
from bokehbench.models import MODELS

RECORDER = "bokehbench.benchmark.recorder.ResultRecorder"
Report = Callable[[float, str], None]


@dataclass
class Outcome:
    """What became of an experiment: a result or why there is none; ``news`` says which steps were run this time."""

    experiment: str
    result: Result | None = None
    path: Path | None = None
    failure: str | None = None
    news: tuple[str, ...] = ()


@dataclass
class Runner:
    """One suite in one folder.

    Every step has a folder named after its command line, so that the same command is never run twice and a changed
    one is. A step is done when its mark is there, and the mark is written last: a run that was killed goes on with the
    step that it was in, a fit inside its stage.

    Args:
        suite: what to run.
        folder: where checkpoints, logs and results of the steps go.
        extra: options of the command line for every fit and test, e.g. ``--trainer.devices=2``.
    """

    suite: Suite
    folder: Path
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.board = boards.find(self.suite.board, writable=True) if self.suite.board else None

    def run(self) -> list[Outcome]:
        """All experiments; one that fails does not stop the others. Renders the board in the end.

        Raises:
            BokehbenchError: another runner is at work in the folder.
        """
        with alone(self.folder):
            return self._run()

    def _run(self) -> list[Outcome]:
        outcomes = []
        steps = sum(1 + experiment.fits for experiment in self.suite.experiments)
        seldom = 0.5 if sys.stderr.isatty() else 30.0
        with tqdm(total=steps, desc=self.suite.name, bar_format=_BAR, mininterval=seldom) as bar:
            for number, experiment in enumerate(self.suite.experiments, 1):
                outcome = Outcome(experiment.name)
                place = f"{experiment.name} ({number} of {len(self.suite.experiments)})"
                end = sum(1 + each.fits for each in self.suite.experiments[:number])
                try:
                    for verb, step in self._steps(experiment, outcome):
                        start = bar.n
                        step(_reporter(bar, start, f"{place}, {verb}"))
                        _move(bar, start + 1, f"{place}, {verb}")
                except Exception as error:  # whatever it is: the other experiments must not be lost
                    said = str(error) if isinstance(error, BokehbenchError) else f"{type(error).__name__}: {error}"
                    outcome.failure = said
                    bar.write(f"{experiment.name} FAILED: {said}")
                _move(bar, end, place)
                outcomes.append(outcome)
        if self.board is not None and any(outcome.result for outcome in outcomes):
            leaderboard.render(self.board)
        return outcomes

    def _steps(self, experiment: Experiment, outcome: Outcome) -> Iterator[tuple[str, Callable[[Report], None]]]:
        if experiment.fits:
            yield "fit", lambda report: self._fit(experiment, outcome, report)
        yield "test", lambda report: self._test(experiment, outcome, report)

    def _fit(self, experiment: Experiment, outcome: Outcome, report: Report) -> None:
        command = ["fit", *experiment.fit_words(), *self.extra]
        place = self._place(experiment, command)
        mark = done(place)
        if mark is not None and (place / str(mark.get("checkpoint"))).is_file():
            return
        command.append(f"--trainer.default_root_dir={place}")
        interrupted = newest(place)
        if interrupted is not None:
            command += ["--ckpt_path", str(interrupted)]
        start = time.monotonic()
        run_step(command, place / "fit.log", report)
        checkpoint = newest(place)
        if checkpoint is None:
            raise BokehbenchError(f"the fit left no checkpoint below {place}: is --trainer.enable_checkpointing off?")
        seconds = round(time.monotonic() - start, 1)
        mark = {"checkpoint": str(checkpoint.relative_to(place)), "seconds": seconds, "resumed": bool(interrupted)}
        write_text(place / "done.json", json.dumps(mark) + "\n")
        outcome.news += ("fit",)

    def _test(self, experiment: Experiment, outcome: Outcome, report: Report) -> None:
        checkpoint = experiment.checkpoint
        if experiment.fits:
            fitted = self._place(experiment, ["fit", *experiment.fit_words(), *self.extra])
            checkpoint = fitted / str((done(fitted) or {})["checkpoint"])
        pictures = self._test_config(experiment)
        command = ["test", *experiment.test_words(pictures is None), *self.extra]
        if checkpoint is not None:
            command += ["--ckpt_path", str(checkpoint)]
        place = self._place(experiment, [*command, pictures or "", *self._measure(), *_state(checkpoint)])
        path = place / "result.json"
        if done(place) is None:
            if pictures is not None:
                write_text(place / "test.yaml", pictures)
                command += ["--config", str(place / "test.yaml")]
            command.append(f"--trainer.default_root_dir={place}")
            if self.board is not None:
                command += [f"--trainer.callbacks+={RECORDER}", f"--trainer.callbacks.board={self.board.resolve()}",
                            f"--trainer.callbacks.output={path.resolve()}"]  # fmt: skip
            run_step(command, place / "test.log", report)
            write_text(place / "done.json", "{}\n")
            outcome.news += ("test",)
        if self.board is not None:
            outcome.result = results.read(path)
            outcome.path = leaderboard.add(self.board, outcome.result)

    def _measure(self) -> list[str]:
        """What of a board, besides its pictures, decides what a test computes."""
        if self.board is None:
            return []
        board = boards.read_board(self.board)
        return [board.name, str(board.version), board.protocol, *board.columns]

    def _place(self, experiment: Experiment, command: list[str]) -> Path:
        return self.folder / experiment.name / f"{command[0]}-{fingerprint(command)}"

    def _test_config(self, experiment: Experiment) -> str | None:
        """Settings of a test on the board's pictures (or the suite's own), in place of the method's recipe.

        What a recipe says about its training data must not reach the test: all methods see the same pictures.
        """
        data = boards.read_board(self.board).data if self.board is not None else self.suite.data
        if not data:
            return None
        name = str(data.get("name")).lower()
        if name not in DATA:
            raise BokehbenchError(f"the board's data: there is no '{name}'; {nearest(name, DATA)}.")
        content = {
            "seed_everything": 0,
            "trainer": {"devices": 1},
            "model": {"class_path": MODELS[experiment.model].__name__},
            "data": {
                "class_path": DATA[name].__name__,
                "init_args": dict(data.get("arguments") or {}),
            },
        }
        return yaml.safe_dump(content)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it however the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # not on Windows
            pass
        except BlockingIOError as error:
            raise BokehbenchError(
                f"another benchmark is at work in {folder}: wait for it, or give --folder."
            ) from error
        yield


def newest(place: Path) -> Path | None:
    """The last checkpoint that a run below ``place`` wrote."""
    found = list(place.glob("**/checkpoints/last.ckpt"))
    return max(found, key=lambda path: path.stat().st_mtime) if found else None


def done(place: Path) -> dict[str, Any] | None:
    """The mark of a finished step, or None."""
    try:
        return dict(json.loads((place / "done.json").read_text()))
    except (OSError, ValueError):
        return None


def _state(checkpoint: Path | None) -> list[str]:
    """What changes when another file is put in a checkpoint's place."""
    return [] if checkpoint is None else [str(checkpoint.stat().st_size), str(checkpoint.stat().st_mtime_ns)]


_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


def _reporter(bar: tqdm, start: float, what: str) -> Report:
    def report(share: float, stage: str) -> None:
        _move(bar, start + min(share, 1.0), f"{what} {stage}".strip())

    return report


def _move(bar: tqdm, to: float, what: str) -> None:
    bar.set_postfix_str(what, refresh=False)
    bar.update(max(0.0, to - bar.n))
