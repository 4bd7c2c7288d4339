"""List corrupt, unpaired and mismatched files; exit status 1 if there are any."""

from typing import Any

from bokehbench.counted import counted
from bokehbench.data.base import SPLITS, BokehDataModule
from bokehbench.errors import BokehbenchError


def add_options(parser: Any) -> None:
    """How thoroughly."""
    parser.add_argument("--deep", action="store_true", help="decode every file, not only its header")


def run(data: BokehDataModule, options: Any) -> int:
    """Print problems and notes."""
    problems = data.check(deep=options.deep)
    for line in (*problems, *(f"note: {note}" for note in data.notes)):
        print(line)
    if problems:
        print(f"{counted(len(problems), 'problem')} found.")
        return 1
    refuse_nothing(data)
    counts = ", ".join(f"{len(p)} {split}" for split in SPLITS if (p := data.pictures(split)) is not None)
    how = "every file was decoded" if options.deep else "headers only; --deep decodes every file"
    print(f"No problems found: {counts} ({how}).")
    return 0


def refuse_nothing(data: BokehDataModule) -> None:
    """Raise BokehbenchError for a data set without a picture."""
    if not any(data.pictures(split) for split in SPLITS):
        raise BokehbenchError(f"{type(data).__name__} in {data.root} has no pictures: check --data.root.")
