"""A step of a suite or a sweep is a process of its own: a file in which it says how far it is and why it failed."""

import ctypes
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError
from bokehbench.files import write_text

#: The variable of the environment that holds the file's path; without it nothing is written.
VARIABLE = "BOKEHBENCH_PROGRESS"
#: The one that holds the number of the process that started the step.
PARENT = "BOKEHBENCH_PARENT"


def watched() -> bool:
    """Whether another process reads what :func:`write_status` writes."""
    return VARIABLE in os.environ


def write_status(**content: Any) -> None:
    """Write ``share`` (0 to 1) and ``what`` is done, or ``failed`` (a sentence), in place of what was there."""
    if watched():
        with suppress(BokehbenchError):  # a full disk must not end a training for the sake of its progress
            write_text(Path(os.environ[VARIABLE]), json.dumps(content))


def read_status(path: Path) -> dict[str, Any]:
    """What was written last; empty where nothing was."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def end_with_parent() -> None:
    """End when the runner does, however that ends: nothing goes on training beside its successor (Linux only)."""
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
        parent = os.environ.pop(PARENT, None)
        if parent is not None and int(parent) != os.getppid():  # it ended before it could be asked for that
            os.kill(os.getpid(), signal.SIGKILL)
