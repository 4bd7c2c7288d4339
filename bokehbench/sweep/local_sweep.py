"""A sweep without W&B: Optuna draws, each trial is a ``bokehbench fit`` of its own process, SQLite remembers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bokehbench.checkpoints import newest
from bokehbench.errors import BokehbenchError
from bokehbench.suite.step_process import StepBar, alone, run_step
from bokehbench.sweep.definition import Sweep
from bokehbench.sweep.trials import Row, last_value, write

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial


@dataclass
class LocalSweep:
    """One sweep in one folder and one study.

    A trial that fails (a crash, a value that is not finite) is a row of the table and stops nobody. A trial that was
    interrupted is marked failed in the study, tried again with the same values, and is no row.

    Args:
        folder: of the trials' runs, their logs and the tables.
        storage: a file for SQLite, or a URL of SQLAlchemy's.
        extra: options for every trial, after the sampled ones.
        seed: of the sampler.
    """

    sweep: Sweep
    folder: Path
    storage: str
    extra: tuple[str, ...] = ()
    seed: int = 0

    def run(self, trials: int) -> list[Row]:
        """Go on until ``trials`` trials ended, counting those of earlier calls; a grid ends when all was tried.

        Raises:
            BokehbenchError: no Optuna, a study of another sweep, or another sweep is at work in the folder.
        """
        study = self.study()
        with alone(self.folder):
            self._retry_interrupted(study)
            with StepBar(trials, self.sweep.name) as bar:
                while len(rows := self.rows(study)) < trials:
                    bar.move(len(rows), "")
                    trial = self._next(study)
                    if trial is None:
                        break
                    self._run(study, trial, bar, len(rows))
                    write(self.folder, self.rows(study), self.sweep.metric, self.sweep.goal)
                bar.move(len(rows), "")
        return self.rows(study)

    def study(self) -> optuna.Study:
        """The study, made or found again."""
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise BokehbenchError("bokehbench sweep needs Optuna: `pip install 'bokehbench[sweeps]'`.") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        url = self.storage
        if "://" not in url:
            path = Path(url).resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{path}"
        try:
            direction = optuna.study.StudyDirection[self.sweep.goal.upper()]
            study = optuna.create_study(
                storage=url, study_name=self.sweep.name, direction=direction, load_if_exists=True
            )
        except Exception as error:  # SQLAlchemy's, Optuna's or the database's own
            raise BokehbenchError(f"--storage {self.storage}: {str(error).splitlines()[0]}.") from error
        mark = f"{self.sweep.fingerprint} {' '.join(self.extra)}".strip()
        known = study.user_attrs.setdefault("sweep", mark) if study.trials else mark
        if known != mark:
            raise BokehbenchError(
                f"{self.storage} holds trials of another '{self.sweep.name}' (its file or your options changed): "
                "give --folder or --storage for a new one."
            )
        study.set_user_attr("sweep", mark)
        # Another seed after each resumption: the same would draw what was drawn
        seed = self.seed + len(study.trials)
        study.sampler = (
            optuna.samplers.TPESampler(seed=seed, n_startup_trials=5)
            if self.sweep.method == "bayes"
            else optuna.samplers.RandomSampler(seed=seed)
        )
        return study

    def rows(self, study: optuna.Study) -> list[Row]:
        """The trials that ended."""
        return [
            Row(trial.number, {each.name: each.value(trial.params[each.name]) for each in self.sweep.free},
                trial.value, **trial.user_attrs)
            for trial in study.trials
            if _ended(trial)
        ]  # fmt: skip

    def _retry_interrupted(self, study: optuna.Study) -> None:
        """Before a trial is given up its values are put in the queue, so that a kill in between loses nothing."""
        from optuna.trial import TrialState

        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            if trial.params.keys() == {each.name for each in self.sweep.free}:
                study.enqueue_trial(trial.params)
            study.tell(trial.number, state=TrialState.FAIL)

    def _next(self, study: optuna.Study) -> Trial | None:
        """The next trial; None after the last point of a grid."""
        if self.sweep.method == "grid" and not any(trial.state.name == "WAITING" for trial in study.trials):
            tried = [trial.params for trial in study.trials if _ended(trial)]
            point = next((point for point in self.sweep.points() if point not in tried), None)
            if point is None:
                return None
            study.enqueue_trial(point)
        return study.ask({each.name: each.optuna() for each in self.sweep.free})

    def _run(self, study: optuna.Study, trial: Trial, bar: StepBar, start: int) -> None:
        from optuna.trial import TrialState

        place = self.folder / f"trial-{trial.number:04d}"
        command = [*local(self.sweep.command(self.sweep.values(trial.params))), *self.extra]
        command.append(f"--trainer.default_root_dir={place.resolve()}")
        value, why, begin = None, "", time.monotonic()
        what = f"trial {trial.number}"
        try:
            run_step(command, place / "fit.log", bar.reporter(start, what))
            value = last_value(place, self.sweep.metric)
        except BokehbenchError as error:
            why = str(error)
            bar.write(f"{what} FAILED: {why}")
        checkpoint = newest(place)
        trial.set_user_attr("seconds", round(time.monotonic() - begin, 1))
        trial.set_user_attr("checkpoint", "" if checkpoint is None else str(checkpoint))
        trial.set_user_attr("why", why)
        study.tell(trial, value, TrialState.FAIL if value is None else None)


def local(words: list[str]) -> list[str]:
    """A command without its loggers: the metric is read from the CSV that is written where none is named."""
    kept: list[str] = []
    skip = False
    for word in words:
        if not skip and not word.startswith("--trainer.logger"):
            kept.append(word)
        skip = word.startswith("--trainer.logger") and "=" not in word
    return kept


def _ended(trial: FrozenTrial) -> bool:
    """Whether a trial came to its own end; one that was interrupted has no word about why."""
    return trial.state.is_finished() and "why" in trial.user_attrs
