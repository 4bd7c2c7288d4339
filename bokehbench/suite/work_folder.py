"""The folders of a suite's work: locks, marks of what is done, checkpoints."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError


@contextmanager
def alone(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder, made where it is not there; the system lets go of it however the process ends.

    With ``wait`` it waits until another process lets go of it, in place of refusing.

    Raises:
        BokehbenchError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except ImportError:  # not on Windows
            pass
        except BlockingIOError as error:
            raise BokehbenchError(
                f"another benchmark is at work in {folder}: wait for it, or give --folder."
            ) from error
        yield


def link_to(place: Path, link: Path) -> None:
    """Let ``link`` show what is in ``place``, where the system has links; nothing depends on it."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        with suppress(OSError):
            link.symlink_to(place, target_is_directory=True)


def done(place: Path) -> dict[str, Any] | None:
    """The mark of a finished step, or None."""
    try:
        return dict(json.loads((place / "done.json").read_text()))
    except (OSError, ValueError):
        return None


def state(checkpoint: Path | None) -> list[str]:
    """What changes when another file is put in a checkpoint's place."""
    return [] if checkpoint is None else [str(checkpoint.stat().st_size), str(checkpoint.stat().st_mtime_ns)]
