"""A collection: a file of suites that are run one after the other, sharing their fits."""

import shlex
from pathlib import Path
from typing import Any

from bokehbench import experiments
from bokehbench.errors import BokehbenchError
from bokehbench.settings_files import check_shapes

#: Key -> what it holds.
COLLECTION_KEYS: dict[str, Any] = {"about": str | None, "suites": list[str]}


def read_collection(path: Path) -> tuple[tuple[str, ...], ...]:
    """The words of each line of ``suites``, as behind ``bokehbench benchmark``; empty for a single suite's file.

    Raises:
        BokehbenchError: other keys beside it, no lines, two equal ones, or one with unpaired quotes.
    """
    content = experiments.read(path)
    if "suites" not in content:
        return ()
    check_shapes(content, COLLECTION_KEYS, str(path))
    try:
        lines = tuple(tuple(shlex.split(line)) for line in content["suites"])
    except ValueError as error:
        raise BokehbenchError(f"{path}: a line of 'suites' has unpaired quotes ({error}): correct it.") from error
    if not lines or not all(lines):
        raise BokehbenchError(f"{path} has no suites, or an empty line: give names of suites with their options.")
    for line in lines:
        if lines.count(line) > 1:
            raise BokehbenchError(f"{path} has '{' '.join(line)}' twice: leave one out.")
    return lines
