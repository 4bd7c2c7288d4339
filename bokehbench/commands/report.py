"""``bokehbench report``: a board as a folder of HTML that opens from disk, with pictures to look into."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bokehbench.board import boards
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.report.build import build
from bokehbench.report.photos import Format
from bokehbench.report.sources import Folders


def main(argv: list[str]) -> int:
    """Write the report; ``argv[0]`` is the verb.

    Raises:
        BokehbenchError: an unknown board or method, folders that are not there, or a place that is taken.
    """
    options = arguments(argv[1:])
    folders = Folders(tuple(map(method_folder, options.pictures)), options.inputs, options.targets, options.work)
    style = Format(options.format, options.quality, options.long_side)
    built = build(boards.find(options.board), options.output, folders, style, options.workers)
    counts = ((built.methods, "method"), (built.pictures, "picture"), (built.files, "picture file"))
    print(f"{', '.join(counted(count, what) for count, what in counts)}: open {built.index}")
    if not built.files:
        print("Without pictures. Add them with --pictures METHOD=FOLDER, --inputs FOLDER and --targets FOLDER.")
    for problem in built.problems[:10]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(built.problems) > 10:
        print(f"left out: {len(built.problems) - 10} more files", file=sys.stderr)
    return 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb.

    Raises:
        BokehbenchError: a number out of range.
    """
    parser = argparse.ArgumentParser(prog="bokehbench report", description=__doc__)
    parser.add_argument("board", help="name or folder of a board")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write; an older report is replaced")
    parser.add_argument(
        "--pictures",
        action="append",
        default=[],
        metavar="METHOD=FOLDER",
        help="outputs of a method (its label, its name or a result's id), named as the pictures; give it once each",
    )
    parser.add_argument(
        "--work",
        action="append",
        type=Path,
        default=[],
        metavar="FOLDER",
        help="work folder of a benchmark whose tests stored pictures (runs/suites/SUITE): all that it has",
    )
    parser.add_argument("--inputs", type=Path, help="folder of the photos that the methods were given")
    parser.add_argument("--targets", type=Path, help="folder of the true pictures")
    parser.add_argument("--format", choices=("jpeg", "png"), default="jpeg", help="of the pictures; png is lossless")
    parser.add_argument("--quality", type=int, default=92, help="of JPEG, 1..100")
    parser.add_argument("--long-side", type=int, help="make larger pictures this long, pixels")
    parser.add_argument("--workers", type=int, help="threads that convert pictures; default: one per core")
    options = parser.parse_args(words)
    if not 1 <= options.quality <= 100:
        raise BokehbenchError(f"--quality {options.quality}: give 1 to 100.")
    for option in ("long_side", "workers"):
        value = getattr(options, option)
        if value is not None and value < 1:
            raise BokehbenchError(f"--{option.replace('_', '-')} {value}: give 1 or more.")
    return options


def method_folder(text: str) -> tuple[str, Path]:
    """``METHOD=FOLDER`` in two; the folder may hold further equals signs.

    Raises:
        BokehbenchError: no equals sign, or nothing on one side of it.
    """
    method, _, folder = text.partition("=")
    if not method or not folder:
        raise BokehbenchError(f"--pictures {text}: give METHOD=FOLDER.")
    return method, Path(folder)
