"""List corrupt, unpaired and mismatched files; exit status 1 if there are any."""

from pathlib import Path
from typing import Any

from bokehbench.commands.options import engaged_by, workers
from bokehbench.counted import counted
from bokehbench.data import lock
from bokehbench.data.base import SPLITS, BokehDataModule
from bokehbench.errors import BokehbenchError


def add_options(parser: Any) -> None:
    """How thoroughly, and against what."""
    parser.add_argument("--deep", action="store_true", help="decode every file, not only its header")
    parser.add_argument("--lock", type=str, default=None, help="manifest to compare every file with, see lock")
    workers(parser)


def run(data: BokehDataModule, options: Any) -> int:
    """Print problems and notes."""
    with engaged_by(options):
        problems = data.check(deep=options.deep)
    problems += [] if options.lock is None else compare(data, Path(options.lock))
    for line in (*problems, *(f"note: {note}" for note in data.notes)):
        print(line)
    if problems:
        print(f"{counted(len(problems), 'problem')} found.")
        return 1
    refuse_nothing(data)
    counts = ", ".join(f"{len(p)} {split}" for split in SPLITS if (p := data.pictures(split)) is not None)
    how = "every file was decoded" if options.deep else "headers only; --deep decodes every file"
    how += "" if options.lock is None else f"; all files as in {options.lock}"
    print(f"No problems found: {counts} ({how}).")
    return 0


def compare(data: BokehDataModule, path: Path) -> list[str]:
    """How the files differ from a lock, a sentence per kind; every byte is read."""
    kind, locked = lock.read(path)
    if kind != type(data).__name__ or data.root is None:
        raise BokehbenchError(f"--lock {path} is of {kind}, not of {type(data).__name__}: give its own.")
    return [f"{path}: {each}" for each in lock.differences(locked, lock.of_files(data.root, data.files()))]


def refuse_nothing(data: BokehDataModule) -> None:
    """Raise BokehbenchError for a data set without a picture."""
    if not any(data.pictures(split) for split in SPLITS):
        raise BokehbenchError(f"{type(data).__name__} in {data.root} has no pictures: check --data.root.")
