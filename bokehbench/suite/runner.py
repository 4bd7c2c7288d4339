"""Runs a suite: fit, test, add to the board; what is done stays done."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bokehbench import figures
from bokehbench.board import boards, leaderboard, results
from bokehbench.board.results import Result
from bokehbench.data import DATA, board_data
from bokehbench.data.base import BokehDataModule
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import write_text
from bokehbench.models import MODELS
from bokehbench.status_file import read_status
from bokehbench.suite.dependencies import Step, lacking, steps
from bokehbench.suite.experiment import Experiment, filled, fingerprint, places
from bokehbench.suite.job import Job, failure_of
from bokehbench.suite.step_process import StepBar, alone, state
from bokehbench.suite.suite import Suite


@dataclass
class Outcome:
    """What became of an experiment: a result, or why it failed, or what it ``lacks`` and so was not run.

    ``news`` says which steps were run this time.
    """

    experiment: str
    result: Result | None = None
    failure: str | None = None
    lacks: str | None = None
    news: tuple[str, ...] = ()


#: Does the steps of a runner, in any order that their needs allow, and tells the outcomes (experiment -> outcome).
Engine = Callable[["Runner", Sequence[Step], Mapping[str, Outcome]], None]


@dataclass
class Runner:
    """One suite in one folder.

    Every step has a folder named after its command line and configuration, so that the same step is never run twice
    and a changed one is. A step is done when its mark is there, and the mark is written last: a run that was killed
    goes on with the step that it was in, a fit inside its stage.

    Args:
        folder: where checkpoints, logs and results of the steps go.
        extra: options of the command line for every fit and test, e.g. ``--trainer.devices=2``.
        fit_extra, test_extra: for every fit, for every test.
        only: names of the experiments to test, None = all; fits that these need are run with them.
        fits: where the fits go in place of ``folder``, so that suites and runners at the same time share equal ones.
        pictures: how many of the first pictures each test writes beside its result.
        inputs: those of the suite that are given, name -> file or folder.
    """

    suite: Suite
    folder: Path
    extra: tuple[str, ...] = ()
    fit_extra: tuple[str, ...] = ()
    test_extra: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    fits: Path | None = None
    pictures: int = 0
    inputs: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board = boards.find(self.suite.board, writable=True) if self.suite.board else None
        self.measured = boards.read_board(self.board) if self.board else None
        self.experiments = {experiment.name: experiment for experiment in self.suite.experiments}

    def run(self, engine: Engine | None = None) -> list[Outcome]:
        """What is wanted, in the order of the suite; one that fails does not stop the others. Renders the board.

        Args:
            engine: does the steps, side by side; None = one after the other, and nobody else in the folder.

        Raises:
            BokehbenchError: another runner is at work in the folder, or what the engine raises.
        """
        if engine is not None:
            return self._run(engine)
        with alone(self.folder):
            return self._run(_one_after_the_other)

    def _run(self, engine: Engine) -> list[Outcome]:
        lacks, only = lacking(self.suite.experiments, self.inputs), self.only
        if only is None and lacks:  # a fit that is not tested is run for those that start from it, which may lack it
            only = tuple(experiment.name for experiment in self.suite.experiments if experiment.tested)
        todo = steps(self.suite.experiments, None if only is None else [name for name in only if name not in lacks])
        outcomes = {name: Outcome(name) for name, _ in todo}
        engine(self, todo, outcomes)
        if self.board is not None and any(outcome.result for outcome in outcomes.values()):
            leaderboard.render(self.board)
            try:
                figures.draw(self.board, self.folder / "figures", self.folder)
            except BokehbenchError as error:  # a figure that fails must not take the results with it
                print(f"No figures: {error}", file=sys.stderr)
        outcomes |= {name: Outcome(name, lacks=why) for name, why in lacks.items() if only is None or name in only}
        return [outcomes[experiment.name] for experiment in self.suite.experiments if experiment.name in outcomes]

    def job(self, step: Step) -> Job:
        """What a step has to do; the steps that it needs have ended.

        Raises:
            BokehbenchError: weights that it needs are not there, since their fit failed.
        """
        name, verb = step
        return (self._fit if verb == "fit" else self._test)(self.experiments[name])

    def record(self, job: Job, ran: bool, outcome: Outcome) -> None:
        """Tell the outcome, and the board, of a step that is done; ``ran``: this time."""
        outcome.news += (job.verb,) if ran else ()
        if job.result:
            assert self.board is not None
            outcome.result = results.read(job.result_file)
            leaderboard.add(self.board, outcome.result)

    def _fit(self, experiment: Experiment) -> Job:
        command, place = self._fit_step(experiment)
        if self.fits is not None:
            link = self.folder / experiment.name / f"fit-{place.name.rpartition('-')[2]}"
            link.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):  # it is there already, or the system has no links; nothing depends on it
                link.symlink_to(place, target_is_directory=True)
        return self._job(experiment, command, place)

    def _fit_step(self, experiment: Experiment) -> tuple[list[str], Path]:
        """Command line and folder of a fit."""
        command = [*filled(experiment.command("fit"), self._find), *self.extra, *self.fit_extra]
        name = fingerprint([*command, experiment.configuration(), *state(*self._named(experiment.fit))])
        if self.fits is not None:
            return command, self.fits / f"{experiment.model}-{name}"
        return command, self.folder / experiment.name / f"fit-{name}"

    def _find(self, name: str) -> Path:
        """What ``{NAME}`` stands for: an input, or the weights of an experiment."""
        return self.inputs[name] if name in self.suite.inputs else self._checkpoint(name)

    def _checkpoint(self, name: str) -> Path:
        """The weights that an experiment stands for.

        Raises:
            BokehbenchError: their fit failed, or has no such stage.
        """
        experiment = self.experiments[name]
        if experiment.checkpoint is not None:
            return experiment.checkpoint
        if experiment.origin is not None:
            last = self._checkpoint(experiment.origin)
        else:
            _, place = self._fit_step(experiment)
            mark = read_status(place / "done.json")
            if not mark:
                raise BokehbenchError(f"it needs the fit of '{name}', which failed.")
            last = place / str(mark["checkpoint"])
        if experiment.stage is None:
            return last
        found = last.with_name(f"{experiment.stage}.ckpt")
        if not found.is_file():
            stages = [path.stem for path in last.parent.glob("*.ckpt") if path != last]
            raise BokehbenchError(f"its fit has no stage '{experiment.stage}'; {nearest(experiment.stage, stages)}.")
        return found

    def _named(self, options: Mapping[str, Any]) -> Iterator[Path]:
        """What the ``{NAME}`` of ``options`` stand for."""
        return map(self._find, places(options))

    def _test(self, experiment: Experiment) -> Job:
        own = experiment.checkpoint or experiment.origin or experiment.fits
        checkpoint = self._checkpoint(experiment.name) if own else None
        pictures = self._test_config(experiment)
        command = [*filled(experiment.command("test", pictures is None), self._find), *self.extra, *self.test_extra]
        if checkpoint is not None:
            command += ["--checkpoint", str(checkpoint)]
        board = self.measured
        content = [*command, pictures or experiment.configuration()]
        content += [board.name, str(board.version), board.protocol, *board.columns] if board else []
        content += state(*([checkpoint] if checkpoint else []), *self._named(experiment.test))
        content += state(*(Path(str(value)) for value in experiment.test.values()))
        content += [f"pictures {self.pictures}"] if self.pictures else []
        place = self.folder / experiment.name / f"test-{fingerprint(content)}"
        if pictures is not None:
            settings = place / "test.yaml"
            if not settings.is_file() or settings.read_text(encoding="utf-8") != pictures:
                write_text(settings, pictures)
            command += ["--config", str(settings)]
        if self.board is not None:
            # Options of a callback that the suite itself adds stay behind it; those before are the recorder's
            added = next((n for n, word in enumerate(command) if word.startswith("--trainer.callbacks+")), len(command))
            of_recorder = [word for word in command[:added] if word.startswith("--trainer.callbacks.")]
            command = [word for word in command[:added] if word not in of_recorder] + command[added:]
            command += [f"--trainer.callbacks+={self._tested().recorder}", *of_recorder,
                        f"--trainer.callbacks.board={self.board.resolve()}",
                        f"--trainer.callbacks.output={(place / 'result.json').resolve()}"]  # fmt: skip
            if experiment.variant:
                command.append(f"--trainer.callbacks.variant={experiment.variant}")
            if self.pictures:
                command.append(f"--trainer.callbacks.pictures={self.pictures}")
        return self._job(experiment, command, place, self.board is not None)

    def _job(self, experiment: Experiment, command: list[str], place: Path, result: bool = False) -> Job:
        named = {"WANDB_RUN_GROUP": self.suite.name, "WANDB_NAME": f"{experiment.name} {command[0]}"}
        of_fit = json.loads(experiment.configuration()).get("trainer") if command[0] == "fit" else None
        said = [word.partition("=")[2] for word in command if word.startswith("--trainer.accelerator=")]
        accelerator = [str((of_fit or {}).get("accelerator", "auto")), *said][-1]
        return Job(experiment.name, tuple(command), place.resolve(), result, accelerator, environment=named)

    def _tested(self) -> type[BokehDataModule]:
        """The data set of the board, or the suite's own; one without either is the methods' affair."""
        data = self.suite.data if self.measured is None else self.measured.data
        if not data:
            return BokehDataModule
        name = str(data.get("name"))
        return DATA.typed(name, "The suite's data") if self.measured is None else board_data(name)

    def _test_config(self, experiment: Experiment) -> str | None:
        """Settings of a test on the board's pictures (or the suite's own), in place of the method's configuration.

        What that says about its training data must not reach the test: all methods see the same pictures.
        """
        data = self.suite.data if self.measured is None else self.measured.data
        if not data:
            return None
        content = {
            "seed_everything": 0,
            "trainer": {"devices": 1},
            "model": {"class_path": MODELS.written(MODELS.typed(experiment.model))},
            "data": {"class_path": DATA.written(self._tested()), "init_args": dict(data.get("arguments") or {})},
        }
        return yaml.safe_dump(content)


def _one_after_the_other(runner: Runner, todo: Sequence[Step], outcomes: Mapping[str, Outcome]) -> None:
    names = list(outcomes)
    with StepBar(len(todo), runner.suite.name) as bar:
        for start, (name, verb) in enumerate(todo):
            outcome = outcomes[name]
            what = f"{name} ({names.index(name) + 1} of {len(names)}), {verb}"
            if outcome.failure is None:
                try:
                    job = runner.job((name, verb))
                    runner.record(job, job.run(bar.reporter(start, what)), outcome)
                except Exception as error:  # whatever it is: the other experiments must not be lost
                    outcome.failure = failure_of(error)
                    bar.write(f"{name} FAILED: {outcome.failure}")
            bar.move(start + 1, what)
