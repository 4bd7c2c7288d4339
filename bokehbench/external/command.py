"""A command of somebody else as a process: its time limit, its end, its last words."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bokehbench.errors import BokehbenchError
from bokehbench.external.description import Description

GUARD = Path(__file__).with_name("guard.py")


def run(description: Description, words: Sequence[str], values: Mapping[str, str], work: Path) -> str:
    """Run ``words``, with ``values`` for their placeholders; nothing of it outlives this process (``guard.py``).

    Returns what it printed. BokehbenchError: it failed (with the last line of its errors), or took too long.
    """
    folder, seconds = description.source.parent / description.filled(description.folder), description.seconds
    if not folder.is_dir():
        raise BokehbenchError(f"there is no folder {folder}: correct 'folder' in {description.source.name}.")
    python = description.filled(description.interpreter) or sys.executable
    filled = [description.filled(word, {**values, "python": python}) for word in words]
    variables = {key: description.filled(value) for key, value in description.environment.items()}
    said, errors = work / "stdout.txt", work / "stderr.txt"  # files, since a pipe that nobody empties stops a command
    with said.open("wb") as out, errors.open("wb") as err:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), *filled], stdin=subprocess.PIPE, stdout=out, stderr=err,
            cwd=folder, env={**os.environ, **variables}, start_new_session=True,
        )  # fmt: skip
    try:
        status = guard.wait(seconds)
    except subprocess.TimeoutExpired:
        late = f"the command did not end within {seconds:g} s and was killed: raise 'seconds' if it needs more."
        raise BokehbenchError(late) from None
    finally:
        guard.communicate()  # closes its standard input: the command ends, if it has not
    if status != 0:
        last = (errors.read_text(errors="replace").strip() or "nothing").splitlines()[-1]
        raise BokehbenchError(f"the command ended with exit status {status}; the last line of its errors: {last[:500]}")
    return said.read_text(errors="replace")


def reported_version(description: Description) -> str:
    """What the description says, or the first line that its command prints; errors as of :func:`run`."""
    if isinstance(description.version, str):
        return description.version
    with tempfile.TemporaryDirectory() as work:
        return run(description, description.version, {}, Path(work)).strip().partition("\n")[0]
