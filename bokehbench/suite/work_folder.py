"""The folders of a suite's work: locks, and the state of files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def state(*paths: Path) -> list[str]:
    """What changes when another file is put in the place of one of ``paths``; what is no file is passed over."""
    found = [path.stat() for path in paths if path.is_file()]
    return [str(value) for each in found for value in (each.st_size, each.st_mtime_ns)]
