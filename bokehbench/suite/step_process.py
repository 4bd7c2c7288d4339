"""Running one step in a process of its own: a crash, a leak or a lack of memory is that step's alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bokehbench.errors import BokehbenchError

#: What the bars look like in a log: stage, where it begins and ends in the whole run, per cent of the stage.
_FIT = re.compile(r"(\S+) \(stage \d+ of \d+(?:, (\d+)-(\d+) %)?\):\s+(\d+)%")
_TEST = re.compile(r"Testing[^%\r\n]*:\s+(\d+)%")
#: The line of a stack trace that says what was raised.
_RAISED = re.compile(r"[\w.]+(Error|Exception|Interrupt)\b")
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
        log: file, begun anew.
        report: called every half second with the share done and the name of what is done.
        environment: variables besides our own.

    Raises:
        BokehbenchError: it failed; with its own last words.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        command = [sys.executable, "-m", "bokehbench.suite.step", *words]
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    try:
        while True:
            try:
                status = process.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                report(*how_far(tail(log)))
    except BaseException:
        _end(process)
        raise
    if status != 0:
        raise BokehbenchError(f"{last_words(log, status)} (all of it: {log})")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(log: Path, size: int = 4096) -> str:
    """The last bytes of a file, as text."""
    with log.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - size))
        return file.read().decode(errors="replace")


def how_far(text: str) -> tuple[float, str]:
    """Share done and stage, from the progress bars in a piece of a log; (0, "") where there is none."""
    fits, tests = _FIT.findall(text), _TEST.findall(text)
    if fits:
        name, start, end, percent = fits[-1]
        first, last = int(start or 0), int(end or 100)
        return (first + (last - first) * int(percent) / 100) / 100, name
    return (int(tests[-1]) / 100, "") if tests else (0.0, "")


def last_words(log: Path, status: int) -> str:
    """Why a step failed: bokehbench's own sentence, else the last line that is not empty."""
    if status < 0:
        hint = ", probably for lack of memory" if status == -9 else ""
        return f"killed by signal {-status}{hint}"
    lines = [line.strip() for line in re.split(r"[\r\n]", tail(log, 65536)) if line.strip()]
    own = [number for number, line in enumerate(lines) if line.startswith("bokehbench: ")]
    if own:
        return " ".join(lines[own[-1] :])[:1000].removeprefix("bokehbench: ")
    raised = [line for line in lines if _RAISED.match(line)]
    return (raised or lines or [f"exit status {status}"])[-1]
