"""The steps of a suite side by side, as tasks of a Dask scheduler: each as soon as those that it needs have ended."""

import logging
import platform
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokehbench import __version__
from bokehbench.cluster.connection import Workers
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_text
from bokehbench.suite.dependencies import Step, before
from bokehbench.suite.job import Job, failure_of
from bokehbench.suite.on_worker import blind, do
from bokehbench.suite.runner import Outcome, Runner
from bokehbench.suite.step_process import PATIENCE, StepBar

if TYPE_CHECKING:
    from distributed import Client, Future

#: What workers offer: a GPU of their own; and one worker of each machine: the machine for itself.
GPU, MACHINE = "GPU", "MACHINE"
#: How often a step is given again after Dask gave it up, since as many workers as Dask allows (4) died at it.
AGAIN = 2


@dataclass(frozen=True)
class SideBySide:
    """What does the steps of a runner (:data:`bokehbench.suite.runner.Engine`).

    Any number of runners may share the folder of the work: each step holds the lock of its own folder.

    Args:
        workers: who does them.
        exclusive: one step at a time on each machine, on a worker that offers ``MACHINE=1``.
    """

    workers: Workers
    exclusive: bool = False

    def __call__(self, runner: Runner, todo: Sequence[Step], outcomes: Mapping[str, Outcome]) -> None:
        """Do the steps.

        Raises:
            BokehbenchError: no scheduler, one that ended, or a worker that does not see the folder of the work.
        """
        if self.exclusive and self.workers.scheduler is None and self.workers.count > 1:
            raise BokehbenchError(
                f"--workers {self.workers.count}: the suite measures time, and workers of one machine would disturb "
                "each other: leave --workers out."
            )
        with self.workers.client() as client, _probe(runner.folder) as probe:
            for name in ("distributed", "distributed.client"):  # now: Dask sets levels when it is imported
                logging.getLogger(name).setLevel(logging.CRITICAL)  # we say ourselves that a scheduler ended
            if runner.fits is not None:
                runner.fits.mkdir(parents=True, exist_ok=True)
            seen = [path.resolve() for path in (probe, runner.board, runner.fits, *runner.inputs.values()) if path]
            _refuse_blind(client, seen)
            with StepBar(len(todo), runner.suite.name) as bar:
                _Run(self, client, seen, runner, todo, outcomes, bar).all()


class _Run:
    """One run of a suite on one client."""

    def __init__(
        self, settings: SideBySide, client: "Client", seen: list[Path], runner: Runner, todo: Sequence[Step],
        outcomes: Mapping[str, Outcome], bar: StepBar,
    ) -> None:  # fmt: skip
        from distributed import as_completed

        self.settings, self.client, self.seen, self.runner = settings, client, seen, runner
        self.outcomes, self.bar = outcomes, bar
        self.waiting = before(runner.suite.experiments, todo)
        self.given: dict[Future, tuple[Step, Job, int]] = {}
        self.completed = as_completed()
        self.ended = 0
        #: step -> share done, and what runs where; of those that run
        self.now: dict[str, tuple[float, str]] = {}
        self.topic = f"bokehbench-{uuid.uuid4().hex}"

    def all(self) -> None:
        """Give steps until all have ended."""
        from distributed import CancelledError
        from distributed.comm import CommClosedError

        self.client.subscribe_topic(self.topic, self._heard)
        try:
            self._give_ready()
            for future in self.completed:
                step, job, again = self.given.pop(future)
                self._take(future, step, job, again)
                self._give_ready()
        except BaseException as error:
            self._stop()
            if not isinstance(error, CancelledError | CommClosedError):
                raise
            raise BokehbenchError(
                "The Dask scheduler has ended, or cannot be reached any more. What was finished is kept, and the same "
                "command goes on where this one ended."
            ) from error

    def _take(self, future: "Future", step: Step, job: Job, again: int) -> None:
        """What came of a step; one at which workers died is given again."""
        from distributed import CancelledError, KilledWorker

        try:
            ran, failure = future.result()
        except KilledWorker as error:
            if again < AGAIN:
                self._give(step, job, again + 1)
                return
            ran, failure = False, f"the worker {error.last_worker.address} and others before it died at this step"
        except CancelledError:
            raise
        except Exception as error:  # such as a worker that cannot import what it needs
            ran, failure = False, failure_of(error)
        self._end(step, job, ran, failure)

    def _give_ready(self) -> None:
        """Give what waits for nothing; what is done or cannot be done ends here, and others may then be ready."""
        while ready := [step for step, needs in self.waiting.items() if not needs]:
            for step in ready:
                del self.waiting[step]
                job, done, failure = None, False, self.outcomes[step[0]].failure
                if failure is None:
                    try:
                        job = self.runner.job(step)
                        done = job.done
                    except Exception as error:  # the other experiments must not be lost
                        failure = failure_of(error)
                if job is None or done or failure is not None:
                    self._end(step, job, False, failure)
                else:
                    self._give(step, job)
        self._show()

    def _give(self, step: Step, job: Job, again: int = 0) -> None:
        own, threads = self.settings.workers.scheduler is None, self.settings.workers.shared_out
        there = self.client.scheduler_info()["workers"].values()
        future = self.client.submit(
            do, job, self.seen, self.topic, threads if own else None, key=f"{'-'.join(step)}-{uuid.uuid4().hex}",
            resources={} if own else resources(job, self.settings.exclusive, list(there)),
        )  # fmt: skip
        self.given[future] = step, job, again
        self.completed.add(future)

    def _end(self, step: Step, job: Job | None, ran: bool, failure: str | None) -> None:
        self.now.pop("-".join(step), None)
        outcome = self.outcomes[step[0]]
        if failure is None and job is not None:
            try:
                self._arrived(job)
                self.runner.record(job, ran, outcome)
            except Exception as error:
                failure = failure_of(error)
        if failure is not None and outcome.failure is None:
            outcome.failure = failure
            self.bar.write(f"{step[0]} FAILED: {failure}")
        for needs in self.waiting.values():
            needs.discard(step)
        self.ended += 1
        self._show()

    def _arrived(self, job: Job) -> None:
        """Wait until we see what another machine wrote: a network's file system may take a minute to tell."""
        end = time.monotonic() + 2 * PATIENCE
        while not job.done and time.monotonic() < end:
            time.sleep(1)

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        """A worker tells how far a step is, or that its process has ended."""
        told = event[1]
        if told["share"] is None:
            self.now.pop(told["step"], None)
        else:
            self.now[told["step"]] = told["share"], told["what"]
        self._show()

    def _show(self) -> None:
        now = list(self.now.values())
        what = ", ".join(what for _, what in now)
        if not now and self.given:
            what = f"waits for a worker{f' with {MACHINE}=1' if self.settings.exclusive else ''}"
        self.bar.move(self.ended + sum(share for share, _ in now), what)

    def _stop(self) -> None:
        """Take back what runs, and wait until fits have saved what they have."""
        with suppress(Exception):  # there may be no scheduler any more
            self.client.cancel(list(self.given), force=True)
            end = time.monotonic() + PATIENCE
            while self.now and self.client.status == "running" and time.monotonic() < end:
                time.sleep(0.1)


def resources(job: Job, exclusive: bool, there: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What a worker must offer for a job, where ``there`` is what Dask tells of the workers that are there.

    A recipe that takes a GPU where there is one gets one where a worker offers it.
    """
    wanted = {MACHINE: 1.0} if exclusive else {}
    offered = any(GPU in (worker.get("resources") or {}) for worker in there)
    if job.accelerator in ("gpu", "cuda") or (job.accelerator == "auto" and offered):
        wanted[GPU] = 1.0
    return wanted


@contextmanager
def _probe(folder: Path) -> Iterator[Path]:
    """A file that every worker must see."""
    write_text(probe := folder / f".probe-{platform.node()}-{uuid.uuid4().hex}", "Workers must see this file.\n")
    try:
        yield probe
    finally:
        probe.unlink(missing_ok=True)


def _refuse_blind(client: "Client", seen: list[Path]) -> None:
    """Raise BokehbenchError where a worker that is there cannot see our files; one that comes later says so itself."""
    for worker, why in client.run(blind, seen, __version__, on_error="return").items():
        if isinstance(why, ImportError | AttributeError):
            raise BokehbenchError(
                f"The worker {worker} cannot import this bokehbench ({why}): install the same version there."
            ) from why
        if isinstance(why, str):
            raise BokehbenchError(f"The worker {worker} {why}")
