"""One command line, in this process: what it said, how it ended, and that it ended."""

from __future__ import annotations

import contextlib
import io
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path

from bokehbench.cli import main

#: Seconds of this process, and seconds altogether, after which a command line hangs.
OWN, ALTOGETHER = 8.0, 120.0


class Hangs(BaseException):
    """Not an ``Exception``: nothing on the way may take it for a fault of its own."""


@dataclass(frozen=True)
class Outcome:
    """Exit status (None: a traceback), what was printed, and the traceback."""

    status: int | None
    out: str
    err: str
    trace: str = ""


def attempt(words: list[str]) -> Outcome:
    """Run ``bokehbench WORDS``."""

    def stop(*_: object) -> None:
        raise Hangs

    out, err, trace, status = io.StringIO(), io.StringIO(), "", None
    before = [(kind, signal.signal(kind, stop)) for kind in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, OWN)
    signal.setitimer(signal.ITIMER_REAL, ALTOGETHER)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Hangs:
        trace = "HANGS\n" + traceback.format_exc(limit=-3)
    except Exception:
        trace = traceback.format_exc(limit=-4)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, handler in before:
            signal.signal(kind, handler)
    return Outcome(status, out.getvalue(), err.getvalue(), trace)


def sentence(outcome: Outcome) -> str:
    """What is said of the fault: from the line that begins with the program's name to the end, else all of it."""
    lines = outcome.err.strip().splitlines()
    at = [number for number, line in enumerate(lines) if line.startswith("bokehbench")]
    return "\n".join(lines[at[-1] :]) if at else "\n".join([*outcome.out.strip().splitlines(), *lines])


def left_in(folder: Path) -> list[str]:
    """Names below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
