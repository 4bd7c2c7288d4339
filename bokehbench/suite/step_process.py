"""One step in a process of its own, the bar over all, and the lock of their folder.

A crash, a leak or a lack of memory is that step's alone.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bokehbench.checkpoints import CONFIG
from bokehbench.errors import BokehbenchError
from bokehbench.files import locked
from bokehbench.ranks import alone as alone_here
from bokehbench.status_file import PARENT, VARIABLE, read_status

#: Ends within this many seconds after an interrupt, or is killed.
PATIENCE = 30.0
Report = Callable[[float, str], None]
LINE = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


def run_step(
    words: list[str], log: Path, report: Report, environment: Mapping[str, str] | None = None, here: Path | None = None
) -> None:
    """Run ``bokehbench WORDS``, its output going to ``log``, and tell how far it is.

    Args:
        words: verb and options.
        log: file, written from its beginning; beside it lies ``progress.json``.
        report: called every half second with the share done and the name of what is done.
        environment: variables besides our own.
        here: folder that relative paths start from; None, or where this machine has none: ours.

    Raises:
        BokehbenchError: it failed, with its own sentence; or it did not say itself that it reached its end.
    """
    file = log.with_name("progress.json")
    log.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "bokehbench", *words]
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            cwd=here if here is not None and here.is_dir() else None,
            env={**alone_here(), VARIABLE: str(file.resolve()), PARENT: str(os.getpid()), **(environment or {})},
        )  # fmt: skip
    try:
        while True:
            try:
                status = process.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                now = read_status(file)
                report(now.get("share", 0.0), now.get("what", ""))
    except BaseException:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if status != 0:
        why = str(read_status(file).get("failed", f"it ended with exit status {status}"))
        if status < 0:  # it could not say one
            why = f"killed by signal {-status}{', probably for lack of memory' if status == -9 else ''}"
        raise BokehbenchError(f"{' '.join(why.split())[:1000]} (all of it: {log})")
    if read_status(file).get("ended") != 0:
        raise BokehbenchError(f"it ended before it was done (all of it: {log})")


class StepBar(tqdm):
    """A bar over ``total`` steps that moves inside a step, too: each half second on a terminal, each 30 s in a log."""

    def __init__(self, total: int, name: str, **options: Any) -> None:
        options.setdefault("mininterval", 0.5 if sys.stderr.isatty() else 30.0)
        # miniters: left to itself, tqdm waits after a quick step until as much is done again, which a long fit never is
        super().__init__(total=total, desc=name, bar_format=LINE, miniters=0, **options)

    def move(self, to: float, what: str) -> None:
        """Stand at ``to`` of ``total`` (never back), with ``what`` beside it."""
        self.set_postfix_str(what, refresh=False)
        self.update(max(0.0, to - self.n))

    def reporter(self, start: float, what: str) -> Report:
        """How a step that begins at ``start`` tells its share done and its stage (see :func:`run_step`)."""
        return lambda share, stage: self.move(start + min(share, 1.0), f"{what} {stage}".strip())


def alone(folder: Path, wait: bool = False) -> AbstractContextManager[None]:
    """Hold the lock of a folder (:func:`bokehbench.files.locked`).

    With ``wait`` it waits until another process lets go of it, in place of refusing.

    Raises:
        BokehbenchError: another process holds it.
    """
    busy = f"another benchmark is at work in {folder}: wait for it, or give --folder."
    return locked(folder, "" if wait else busy)


def state(*paths: Path) -> list[str]:
    """What changes when another file, or folder of weights, is put in the place of one of ``paths``.

    What is neither is passed over.
    """
    files = [path / CONFIG if path.is_dir() else path for path in paths]
    found = [path.stat() for path in files if path.is_file()]
    return [str(value) for each in found for value in (each.st_size, each.st_mtime_ns)]
