"""Running one step in a process of its own: a crash, a leak or a lack of memory is that step's alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bokehbench.errors import BokehbenchError
from bokehbench.status_file import VARIABLE, read_status

#: Ends within this many seconds after an interrupt, or is killed.
PATIENCE = 15.0


def run_step(
    words: list[str],
    log: Path,
    report: Callable[[float, str], None],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run ``bokehbench WORDS``, its output going to ``log``, and tell how far it is.

    Args:
        words: verb and options.
        log: file, written from its beginning; beside it lies ``progress.json``.
        report: called every half second with the share done and the name of what is done.
        environment: variables besides our own.

    Raises:
        BokehbenchError: it failed; with its own sentence.
    """
    file = log.with_name("progress.json")
    log.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "bokehbench", *words]
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, VARIABLE: str(file.resolve()), **(environment or {})},
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
        _end(process)
        raise
    if status != 0:
        raise BokehbenchError(f"{_why(file, status)} (all of it: {log})")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _why(file: Path, status: int) -> str:
    """Why a step failed: its own sentence, where it could still say one."""
    if status < 0:
        hint = ", probably for lack of memory" if status == -9 else ""
        return f"killed by signal {-status}{hint}"
    said = str(read_status(file).get("failed", f"it ended with exit status {status}"))
    return " ".join(said.split())[:1000]
