"""``bokehbench report``: a board as a folder of HTML that opens from disk, with pictures to look into."""

import argparse
import sys
from pathlib import Path

from bokehbench.board import boards
from bokehbench.commands.options import method_folder, whole
from bokehbench.counted import counted
from bokehbench.report.build import build
from bokehbench.report.photos import Format
from bokehbench.report.sources import Folders


def main(argv: list[str]) -> int:
    """Write the report; BokehbenchError for an unknown board or method, no such folders, or a place that is taken."""
    parser = argparse.ArgumentParser(prog="bokehbench report", description=__doc__)
    parser.add_argument("board", help="name or folder of a board")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write; an older report is replaced")
    parser.add_argument(
        "--outputs", action="append", type=method_folder, default=[], metavar="METHOD=FOLDER",
        help="outputs of a method (its label, its name or a result's id), named as the pictures; give it once each",
    )  # fmt: skip
    parser.add_argument(
        "--work", action="append", type=Path, default=[], metavar="FOLDER",
        help="work folder of a benchmark whose tests stored pictures (runs/suites/SUITE): all that it has",
    )  # fmt: skip
    parser.add_argument("--inputs", type=Path, help="folder of the photos that the methods were given")
    parser.add_argument("--targets", type=Path, help="folder of the true pictures")
    parser.add_argument("--format", choices=("jpeg", "png"), default="jpeg", help="of the pictures; png is lossless")
    whole(parser, "--quality", 1, 100, default=92, help="of JPEG, 1..100")
    whole(parser, "--long-side", 1, help="make larger pictures this long, pixels")
    whole(parser, "--workers", 1, help="threads that convert pictures; default: one per core")
    options = parser.parse_args(argv[1:])
    folders = Folders(options.outputs, options.inputs, options.targets, options.work)
    style = Format(options.format, options.quality, options.long_side)
    built = build(boards.find(options.board), options.output, folders, style, options.workers)
    counts = ((built.methods, "method"), (built.pictures, "picture"), (built.files, "picture file"))
    print(f"{', '.join(counted(count, what) for count, what in counts)}: open {built.index}")
    if not built.files:
        print(f"Without pictures. Add them with {built.how}.")
    for problem in built.problems[:10]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(built.problems) > 10:
        print(f"left out: {len(built.problems) - 10} more files", file=sys.stderr)
    return 0
