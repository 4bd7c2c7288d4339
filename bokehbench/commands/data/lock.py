"""Write a manifest beside the data set: names, sizes, SHA-256 and splits of its files."""

from pathlib import Path
from typing import Any

from bokehbench.commands.data.check import refuse_nothing
from bokehbench.counted import counted
from bokehbench.data import lock
from bokehbench.data.base import BokehDataModule, raise_problems
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_text, write_text


def add_options(parser: Any) -> None:
    """Where to."""
    parser.add_argument("-o", "--output", type=str, default=None, help=f"file to write (default: ROOT/{lock.NAME})")


def run(data: BokehDataModule, options: Any) -> None:
    """Write it, and print its hash."""
    raise_problems(data.check(), "A data set with problems is not locked")
    refuse_nothing(data)
    if data.root is None or not data.files():
        raise BokehbenchError(f"{type(data).__name__} has no files in --data.root to lock.")
    path = Path(options.output) if options.output else data.root / lock.NAME
    manifest = lock.of_files(data.root, data.files())
    text = lock.to_text(type(data).__name__, manifest)
    if path.exists() and read_text(path) != text:
        raise BokehbenchError(
            f"{path} is there and differs: `bokehbench data check --lock {path}` says how; remove it to lock again."
        )
    write_text(path, text)
    print(f"{counted(len(manifest), 'file')} locked in {path}, SHA-256 {lock.hash_of(path)}")
