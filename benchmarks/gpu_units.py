"""Units of work that write one line each as soon as they are done, within a time: for ``gpu.py``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def run_units(file: Path, seconds: float, units: Mapping[str, Callable[[], Line]]) -> None:
    """Run the units in turn; none begins after ``seconds``. Whoever ends this process keeps what was written.

    Args:
        file: JSON lines; the first names all units. A unit that fails leaves its ``problem``.
        seconds: from now on.
        units: name -> what gives its line.
    """
    end = time.monotonic() + seconds
    append(file, {"plan": list(units)})
    for name, unit in units.items():
        if time.monotonic() < end:
            try:
                line = unit()
            except Exception as error:  # one method's failure is a result, too
                line = {"problem": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"}
            append(file, {"unit": name, **line})


def append(file: Path, line: Line) -> None:
    """One more line at the file's end."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


def read_units(file: Path, reason: str) -> list[Line]:
    """The lines of :func:`run_units`, one for each unit of the plan; those that were not reached say ``reason``."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []
    done = {line["unit"]: line for line in lines[1:]}
    plan = lines[0]["plan"] if lines else ["all"]
    return [done.get(name, {"unit": name, "problem": reason}) for name in plan]
