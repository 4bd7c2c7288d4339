"""A sweep without W&B: Optuna draws, each trial is a ``bokehbench fit`` of its own process, a database remembers."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, Any

from bokehbench.checkpoints import newest
from bokehbench.errors import BokehbenchError
from bokehbench.files import locked
from bokehbench.stopping import Stopped
from bokehbench.suite.step_process import StepBar, alone, run_step
from bokehbench.sweep.definition import Sweep
from bokehbench.sweep.storage import Storage
from bokehbench.sweep.trials import Row, last_value, write

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial


#: Seconds between two looks at trials of others.
PAUSE = 2.0
#: After which a trial that began and never said so does not count: its process was killed in between.
UNHEARD = timedelta(minutes=10)


@dataclass
class LocalSweep:
    """One sweep in one folder and one study, of one process, or of several where a server keeps the study.

    A trial that fails (a crash, a value that is not finite) is a row of the table and stops nobody. A trial that was
    interrupted, or whose process is lost, is marked failed in the study, tried again with the same values, and is no
    row. A trial that another process has taken for lost is left to that one.

    Args:
        folder: of the trials' runs, their logs and the tables.
        extra: options for every trial, after the sampled ones.
        seed: of the sampler.
    """

    sweep: Sweep
    folder: Path
    storage: Storage
    extra: tuple[str, ...] = ()
    seed: int = 0

    def run(self, trials: int) -> list[Row]:
        """Go on until ``trials`` trials ended, counting those of earlier calls; a grid ends when all was tried.

        Raises:
            BokehbenchError: no Optuna, a study of another sweep, another sweep is at work in the folder, or a server
                that does not answer.
        """
        study = self.study()
        with nullcontext() if self.storage.shared else alone(self.folder), self.storage.in_words():
            for trial in () if self.storage.shared else study.trials:  # what an earlier call began
                if trial.state.name == "RUNNING":
                    self._give_back(study, trial)
            with StepBar(trials, self.sweep.name) as bar:
                while (done := len(self.rows(study))) < trials and self._step(study, trials, bar, done):
                    pass
                bar.move(done, "")
            self._write(study)
            return self.rows(study)

    def _step(self, study: optuna.Study, trials: int, bar: StepBar, done: int) -> bool:
        """One more trial, or a moment's wait for those of others; False where there are none of either."""
        from optuna.storages import fail_stale_trials

        if self._another(study, trials):
            bar.move(done, "")
            try:
                study.optimize(partial(self._run, study, bar, trials, done), n_trials=1, catch=BokehbenchError)
            except ValueError as error:
                if "Cannot tell" not in str(error):  # Optuna's for a trial that another process has ended
                    raise
                bar.write(f"A trial was silent for {self.storage.lost_after} s, and another process tries it again.")
            self._write(study)
        elif any(self._alive(trial) for trial in study.get_trials(deepcopy=False)):
            bar.move(done, "waiting for others")
            time.sleep(PAUSE)
            fail_stale_trials(study)
        else:
            return False
        return True

    def _write(self, study: optuna.Study) -> None:
        with locked(self.folder) if self.storage.shared else nullcontext():  # the newest table is the last
            write(self.folder, self.rows(study), self.sweep.metric, self.sweep.goal)

    def study(self) -> optuna.Study:
        """The study, made or found again."""
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise BokehbenchError("bokehbench sweep needs Optuna: `pip install 'bokehbench[sweeps]'`.") from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self.storage.in_words():
            direction = optuna.study.StudyDirection[self.sweep.goal.upper()]
            study = optuna.create_study(
                storage=self.storage.open(), study_name=self.sweep.name, direction=direction, load_if_exists=True
            )
        mark = f"{self.sweep.fingerprint} {' '.join(self.extra)}".strip()
        known = study.user_attrs.setdefault("sweep", mark) if study.trials else mark
        if known != mark:
            raise BokehbenchError(
                f"{self.storage} holds trials of another '{self.sweep.name}' (its file or your options changed): "
                "give --folder or --storage for a new one."
            )
        study.set_user_attr("sweep", mark)
        # Another seed after each resumption: the same would draw what was drawn; and for each of several processes
        seed = None if self.storage.shared else self.seed + len(study.trials)
        study.sampler = (
            optuna.samplers.TPESampler(seed=seed, n_startup_trials=5, constant_liar=True)
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

    def _give_back(self, study: optuna.Study, trial: Trial | FrozenTrial) -> None:
        """Before a trial is given up its values are put in the queue, so that a kill in between loses nothing."""
        from optuna.trial import TrialState

        if trial.params.keys() == {each.name for each in self.sweep.free}:
            study.enqueue_trial(trial.params)
        study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)

    def _another(self, study: optuna.Study, trials: int) -> bool:
        """Whether there is one more to try; the next point of a grid is put in the queue."""
        if any(trial.state.name == "WAITING" for trial in study.get_trials(deepcopy=False)):
            return True
        taken = self._taken(study)
        if len(taken) < trials and self.sweep.method == "grid":
            point = next((point for point in self.sweep.points() if point not in map(_values, taken)), None)
            if point is None:
                return False
            study.enqueue_trial(point)
        return len(taken) < trials

    def _alive(self, trial: FrozenTrial) -> bool:
        """Whether a trial runs, or is not known to be lost."""
        said_so = "machine" in trial.user_attrs or datetime.now() - (trial.datetime_start or datetime.min) < UNHEARD
        return trial.state.name == "RUNNING" and said_so

    def _taken(self, study: optuna.Study) -> list[FrozenTrial]:
        """The trials that ended or run."""
        return [trial for trial in study.get_trials(deepcopy=False) if _ended(trial) or self._alive(trial)]

    def _run(self, study: optuna.Study, bar: StepBar, trials: int, start: int, trial: Trial) -> float:
        """The value of a trial; BokehbenchError where it failed, TrialPruned where there is one too many."""
        from optuna.exceptions import TrialPruned

        *before, own = (each for each in self._taken(study) if each.number <= trial.number)
        # Two processes asked at once: the point of a grid was tried by the other, or taken from the queue
        double = self.sweep.method == "grid" and _values(own) in [{}, *map(_values, before)]
        if double or len(before) >= trials:
            raise TrialPruned
        trial.set_user_attr("machine", node())
        drawn = {each.name: each.drawn(trial) for each in self.sweep.free}
        place = self.folder / f"trial-{trial.number:04d}"
        command = [*local(self.sweep.command(self.sweep.values(drawn))), *self.extra]
        command.append(f"--trainer.default_root_dir={place.resolve()}")
        value, why, begin = None, "", time.monotonic()
        what = f"trial {trial.number}"
        try:
            run_step(command, place / "fit.log", bar.reporter(start, what))
            value = last_value(place, self.sweep.metric)
        except BokehbenchError as error:
            why = str(error)
            bar.write(f"{what} FAILED: {why}")
        except Stopped:
            self._give_back(study, trial)
            raise
        checkpoint = newest(place)
        trial.set_user_attr("seconds", round(time.monotonic() - begin, 1))
        trial.set_user_attr("checkpoint", "" if checkpoint is None else str(checkpoint))
        trial.set_user_attr("why", why)
        if value is None:
            raise BokehbenchError(why)
        return value


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


def _values(trial: FrozenTrial) -> dict[str, Any]:
    """What a trial was given, before it ran, or else drew."""
    return trial.system_attrs.get("fixed_params", trial.params)
