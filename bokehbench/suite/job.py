"""A fit or a test of a suite as a plain value: any process that sees its folder can do it, and it is done once."""

import json
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bokehbench.board import results
from bokehbench.checkpoints import is_whole, newest, newest_whole, read_checkpoint
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_text
from bokehbench.status_file import read_status
from bokehbench.suite.step_process import Report, alone, run_step


@dataclass(frozen=True)
class Job:
    """One step.

    It is done when its mark (``done.json``) is there, and the mark is written last. The folder's lock is held
    meanwhile, so that any number of processes and machines may be given the same job.

    Args:
        experiment: its name.
        command: verb and options, without the checkpoint from which an interrupted fit goes on.
        place: folder of the work.
        result: whether a test writes ``result.json``.
        accelerator: Lightning's word for what computes, such as ``gpu``.
        here: folder that relative paths in the command start from.
        environment: variables of the process.
    """

    experiment: str
    command: tuple[str, ...]
    place: Path
    result: bool = False
    accelerator: str = "auto"
    here: Path = field(default_factory=Path.cwd)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """``fit`` or ``test``."""
        return self.command[0]

    @property
    def result_file(self) -> Path:
        """Where a test writes what it measured."""
        return self.place / "result.json"

    @property
    def done(self) -> bool:
        """Whether its mark is there, and what it wrote is there and whole."""
        mark = self.place / "done.json"
        if self.verb == "test":
            return mark.is_file() and (not self.result or self.result_file.is_file())
        checkpoint = self.place / str(read_status(mark).get("checkpoint"))
        return checkpoint.is_file() and is_whole(checkpoint)

    def run(self, report: Report, environment: Mapping[str, str] | None = None) -> bool:
        """Do it, unless it is done; waits for another process that does it. True if it was done by this call.

        Args:
            report: see :func:`bokehbench.suite.step_process.run_step`.
            environment: more variables of the process.

        Raises:
            BokehbenchError: it failed.
        """
        with alone(self.place, wait=True):
            if self.done:
                return False
            more = {**self.environment, **(environment or {})}
            mark = self._fit(report, more) if self.verb == "fit" else self._test(report, more)
            write_text(self.place / "done.json", json.dumps({**mark, "machine": platform.node()}) + "\n")
        return True

    def _fit(self, report: Report, environment: Mapping[str, str]) -> dict[str, object]:
        last, interrupted = newest(self.place), newest_whole(self.place)
        if last is not None and not is_whole(last):
            said = f"goes on from {interrupted}" if interrupted else "begins again"
            print(f"{self.experiment}: {last} is broken, so its fit {said}.", file=sys.stderr)
        start = time.monotonic()
        self._process(["--checkpoint", str(interrupted)] if interrupted else [], report, environment)
        checkpoint = newest(self.place)
        if checkpoint is None:
            raise BokehbenchError(f"no checkpoint below {self.place}: is --trainer.enable_checkpointing off?")
        read_checkpoint(checkpoint)
        return {
            "checkpoint": str(checkpoint.relative_to(self.place)),
            "seconds": round(time.monotonic() - start, 1),
            "resumed": bool(interrupted),
        }

    def _test(self, report: Report, environment: Mapping[str, str]) -> dict[str, object]:
        self.result_file.unlink(missing_ok=True)  # of a call before, which must not pass for this one's
        self._process([], report, environment)
        if self.result:
            results.read(self.result_file)  # whole, or this step is not done
        return {}

    def _process(self, more: list[str], report: Report, environment: Mapping[str, str]) -> None:
        words = [*self.command, *more, f"--trainer.default_root_dir={self.place}"]
        run_step(words, self.place / f"{self.verb}.log", report, environment, self.here)


def failure_of(error: Exception) -> str:
    """Why a step failed, in a sentence."""
    return str(error) if isinstance(error, BokehbenchError) else f"{type(error).__name__}: {error}"
