"""A report's folder appears whole or not at all, and replaces nothing but an older report."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bokehbench.errors import BokehbenchError

#: The file by which a report is known; a folder without it is somebody's own.
MARKER = "report.json"


def check_place(output: Path) -> None:
    """Refuse a place that holds something else than a report.

    Raises:
        BokehbenchError: ``output`` is a file, or a folder with files that is no report.
    """
    if output.exists() and not output.is_dir():
        raise BokehbenchError(f"{output} is a file: give a folder with -o.")
    if output.is_dir() and any(output.iterdir()) and not (output / MARKER).is_file():
        raise BokehbenchError(f"{output} is not empty and not a report: give an empty or a new folder with -o.")


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """A temporary folder beside ``output`` that takes its place when the block ends well.

    Raises:
        BokehbenchError: as :func:`check_place`, or the disk is full or not writable.
    """
    check_place(output)
    place = output.resolve()
    draft: Path | None = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name[:40]}."))
        yield draft
        draft.chmod(0o755)
        _put(draft, place)
    except OSError as error:
        raise BokehbenchError(
            f"{output} could not be written ({error.strerror or error}): free space or choose another place."
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _put(draft: Path, place: Path) -> None:
    if not place.exists():
        os.replace(draft, place)
        return
    old = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name[:40]}."))
    os.replace(place, old)
    try:
        os.replace(draft, place)
    except OSError:
        os.replace(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)
