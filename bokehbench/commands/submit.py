"""``bokehbench submit pack|check``: a result and its pictures as one file, and what is wrong with it."""

import argparse
from pathlib import Path

from bokehbench import experiments
from bokehbench.board import results
from bokehbench.board.comparison import compared
from bokehbench.commands.leaderboard import HEADS, cells
from bokehbench.commands.options import board_data, refuse_unknown_action
from bokehbench.counted import counted
from bokehbench.metrics.columns import find_column
from bokehbench.submit import bundle
from bokehbench.tables import aligned


def main(argv: list[str]) -> int:
    """Run one action; returns 1 where ``check`` found a fault; BokehbenchError where it cannot run."""
    refuse_unknown_action(argv, ACTIONS)
    options = arguments(argv[1:])
    return ACTIONS[options.action](options) or 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    parser = argparse.ArgumentParser(prog="bokehbench submit", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    pack = actions.add_parser("pack", help="make the bundle of a result that a test wrote")
    pack.add_argument("result", type=Path, metavar="RUN_OR_RESULT", help="result file (JSON), or its folder")
    pack.add_argument("-o", "--output", type=Path, required=True, help="the bundle, a zip file")
    pack.add_argument("--hashes-only", metavar="URL", help="leave the pictures out: they are kept at URL")
    pack.add_argument("--declaration", type=Path, metavar="FILE", help="YAML, in place of the options below")
    pack.add_argument("--trained-on", action="append", default=[], metavar="NAME=SPLIT", help="once for each data set")
    for entry, what in bundle.ENTRIES.items():
        pack.add_argument(f"--{entry.replace('_', '-')}", help=what)
    check = actions.add_parser("check", help="score a bundle's pictures again; exit status 1 where anything is wrong")
    check.add_argument("bundle", type=Path, help="what pack wrote")
    check.add_argument("--board", help="name or folder of the board; default: the one that the record names")
    board_data(check)
    check.add_argument("--root", type=Path, help="the data's folder, where the board's pictures are files")
    pack.add_argument("--outputs", type=Path, help="folder of the outputs, PNG; default: pictures/output by the result")
    check.add_argument("--outputs", type=Path, help="folder of the outputs, where the bundle has only their SHA-256")
    return parser.parse_args(words)


def _pack(options: argparse.Namespace) -> None:
    data = [dict(zip(("name", "split"), each.split("=", 1), strict=False)) for each in options.trained_on]
    words = {"data": data} | {entry: getattr(options, entry) for entry in bundle.ENTRIES}
    if options.declaration is not None:
        words = {"data": None} | experiments.read(options.declaration)
    bundle.refuse_undeclared(words, str(options.declaration or "The command line"))
    count = bundle.pack(options.result, options.output, words, options.outputs, options.hashes_only)
    print(f"{options.output}: {counted(count, 'picture')}. Check it: bokehbench submit check {options.output}")


def _check(options: argparse.Namespace) -> int:
    from bokehbench.submit.check import check  # brings torch

    found = check(options.bundle, options.board, options.root, options.outputs)
    lines = [f"Declared {key}: {value}" for key, value in found.words.items()]
    lines += [f"Not scored again: {what} ({why})." for what, why in found.unmeasured.items()]
    lines += [f"- {each}" for each in found.differ]
    lines.append(f"NOT ACCEPTED: {counted(len(found.differ), 'fault')}.")
    if found.same and found.standings is not None:
        board, rows = found.standings.board, found.standings.rows
        (ours,) = [row for row in rows if row.result.id == found.id]
        ranking = find_column(board.rank_by)
        others = [row for row in rows if row.rank and row is not ours]
        table = [[row.label, *cells(compared(board, ours, row, board.rank_by)[0])[1:]] for row in others]
        place = results.place(Path("leaderboards") / board.name, ours.result)
        lines[-1:] = [f"{ours.label} against the ranked rows of {board.title}, {ranking.label}:"]
        lines += aligned(HEADS, table, "<>>><>>>>><").splitlines()
        lines.append(f"ACCEPTED ({ours.reason or f'rank {ours.rank}'}): the record goes to {place}")
    for line in lines:  # a stranger's words must not steer a terminal
        print("".join(sign if sign.isprintable() else "?" for sign in line))
    return 0 if found.same else 1


ACTIONS = {"pack": _pack, "check": _check}
