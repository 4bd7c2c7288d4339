"""``bokehbench leaderboard add|render|check|verify|pin|cite|compare|figures``: results, tables, what they are worth."""

import argparse
import sys
from pathlib import Path

from bokehbench import figures
from bokehbench.board import boards, leaderboard, results
from bokehbench.board.citation import cite, cite_board
from bokehbench.board.comparison import Compared, compared, read_row
from bokehbench.board.network import full_name
from bokehbench.board.standings import Row, read_standings
from bokehbench.commands.options import board_data, engaged_by, method_folder, refuse_unknown_action, workers
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.tables import aligned

#: Of a table of paired comparisons.
HEADS = ["", "first", "second", "diff", "95 % interval", "wins", "ties", "loss", "p boot", "p Wilc", ""]


def main(argv: list[str]) -> int:
    """Run one action; returns 1 where it found a difference; BokehbenchError where it cannot run."""
    refuse_unknown_action(argv, ACTIONS)
    options = arguments(argv[1:])
    return ACTIONS[options.action](options) or 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    parser = argparse.ArgumentParser(prog="bokehbench leaderboard", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    add = actions.add_parser("add", help="store results, or score a folder of outputs and store that; then render")
    add.add_argument("files", type=Path, nargs="*", help="result files (JSON) that a test or a benchmark wrote")
    add.add_argument("--board", help="name or folder of a board; default: the one that each file names")
    add.add_argument("--outputs", metavar="METHOD=FOLDER", help="pictures of a method (its row's label), not files")
    add.add_argument("--method", help=argparse.SUPPRESS)
    add.add_argument("--targets", type=Path, help="folder of the true pictures")
    add.add_argument("--mask", type=Path, help="folder of masks of what is in focus, for the scores by region")
    add.add_argument("--replace", action="store_true", help="replace the same measurement, which knew less of its fit")
    add.add_argument("--note", default="", help="where the outputs are from")
    for action, line in (
        ("render", "write the tables of all boards, or of those named"),
        ("check", "render again and compare bytes; exit status 1 where a table is not what the files say"),
    ):
        actions.add_parser(action, help=line).add_argument("boards", nargs="*", help="names or folders; default: all")
    verify = actions.add_parser("verify", help="measure a result again from its checkpoint, compare every picture")
    cite_ = actions.add_parser("cite", help="print a result's row or a board, its permalink and BibTeX")
    row = "a result's id or its beginning, or a method with one result on the board"
    verify.add_argument("id", help=row)
    cite_.add_argument("id", help=f"name of a board; {row}")
    weights = "of fit or import-weights, once for each part of a combination; not for weights that come with a method"
    verify.add_argument("--checkpoint", type=Path, action="append", default=[], help=weights)
    verify.add_argument("--outputs", type=Path, help="score the pictures that the test stored here, render nothing")
    verify.add_argument(
        "--model", metavar="PACKAGE.CLASS", type=MODELS.typed, help="of the result, where its package registers none"
    )
    workers(verify)
    pin = actions.add_parser("pin", help="write the fingerprints of a few targets, which results must have")
    pin.add_argument("board", help="name or folder of the board")
    for one in (verify, pin):
        board_data(one)
        one.add_argument("--root", type=Path, help="the data's folder, where the board's pictures are files")
    verify.add_argument("--device", help="cpu, cuda, ...; default: a GPU where there is one")
    compare_ = actions.add_parser("compare", help="is the difference of two results real? paired statistics")
    compare_.add_argument("a", help="id, beginning of an id, or method")
    compare_.add_argument("b", help="id, beginning of an id, or method")
    compare_.add_argument("--score", help="one score instead of all of the board's")
    figures_ = actions.add_parser("figures", help="write every figure that a board can give, as small files")
    figures_.add_argument("board", type=boards.find, help="name or folder of the board")
    figures_.add_argument("-o", "--output", type=Path, default=Path("docs") / "images", help="where to (%(default)s)")
    figures_.add_argument("--work", type=Path, help="runs/suites/SUITE, for the contact sheet and the training curves")
    for one in (verify, cite_, compare_):
        one.add_argument("--board", help="name or folder of the board; default: look on all")
    return parser.parse_args(words)


def _add(options: argparse.Namespace) -> None:
    if bool(options.files) == bool(options.outputs):
        raise BokehbenchError(
            "leaderboard add takes result files, or --outputs METHOD=FOLDER with --board and --targets."
        )
    touched: dict[Path, None] = {}
    found = [_scored(options)] if options.outputs else [results.read(file) for file in options.files]
    try:
        for result in found:
            folder = boards.find(options.board or result.board, writable=True)
            path = leaderboard.add(folder, result, options.replace)
            touched[folder] = None
            print(f"{full_name(result)}: {path}")
            if results.read(path).training != result.training:
                print("  It was there already, with another record of its training, which stays: "
                      "--replace takes this one.")  # fmt: skip
    finally:  # where a later one is refused, too: what is stored is in the tables
        for folder in touched:
            leaderboard.render(folder)
            print(f"Tables: {folder / 'table.md'}")
            _say_left_out(folder)


def _say_left_out(*folders: Path) -> int:
    """Name the stored files of boards that are no results; how many there are."""
    left_out = [sentence for folder in folders for sentence in results.read_stored(folder)[1]]
    for sentence in left_out:
        print(f"left out: {sentence}", file=sys.stderr)
    return len(left_out)


def _scored(options: argparse.Namespace) -> results.Result:
    from bokehbench.measure.folder_scores import score_folder

    if not (options.board and options.targets):
        raise BokehbenchError("leaderboard add --outputs METHOD=FOLDER also needs --board and --targets.")
    outputs = f"{options.method}={options.outputs}" if options.method else options.outputs
    method, folder = method_folder(outputs)
    board = boards.read_board(boards.find(options.board))
    return score_folder(board, method, folder, options.targets, options.mask, options.note)


def _folders(names: list[str]) -> list[Path]:
    found = [boards.find(name) for name in names or boards.names()]
    if not found:
        raise BokehbenchError(f"{boards.folder()} holds no boards: run this where leaderboards/ is.")
    return found


def _render(options: argparse.Namespace) -> int:
    folders = _folders(options.boards)
    for folder in folders:
        for path in leaderboard.render(folder):
            print(path)
    return 1 if _say_left_out(*folders) else 0


def _check(options: argparse.Namespace) -> int:
    folders = _folders(options.boards)
    problems = [problem for folder in folders for problem in leaderboard.check(folder)]
    for problem in problems:
        print(problem)
    count = sum(len(list(folder.glob("results/*/*.json"))) for folder in folders)
    found = counted(len(problems), "problem") if problems else "no problems"
    print(f"{counted(len(folders), 'board')}, {counted(count, 'result')}: {found}.")
    return 1 if problems else 0


def _row(wanted: str, board: str | None) -> tuple[Path, boards.Board, Row]:
    """The result that is meant, on a board or on all of them."""
    folders = _folders([board] if board else [])
    _say_left_out(*folders)
    return read_row(wanted, folders)


def _cite(options: argparse.Namespace) -> None:
    if options.board is None and options.id in boards.names():
        print(cite_board(boards.find(options.id), read_standings(boards.find(options.id))))
    else:
        print(cite(*_row(options.id, options.board)))


def _verify(options: argparse.Namespace) -> int:
    _, board, row = _row(options.id, options.board)
    from bokehbench.measure.verification import verify

    with engaged_by(options):
        verdict = verify(board, row.result, options.checkpoint, options.root, options.device, options.outputs)
    for line in verdict.differ:
        print(line)
    largest = ", ".join(f"{column} {gap:.2g}" for column, gap in verdict.largest.items())
    pictures = counted(verdict.compared, "picture")
    print(f"{row.label} {row.result.id}, {pictures}; largest differences: {largest}.")
    print(verdict.answer)
    return 0 if verdict.same else 1


def _pin(options: argparse.Namespace) -> None:
    folder = boards.find(options.board, writable=True)
    from bokehbench.measure.verification import pin  # brings torch

    print(pin(folder, boards.read_board(folder), options.root))


def _compare(options: argparse.Namespace) -> None:
    (folder, board, a), (other, _, b) = _row(options.a, options.board), _row(options.b, options.board)
    if (folder, a.result.board_version) != (other, b.result.board_version):
        raise BokehbenchError(f"{options.a} is on {folder.name} and {options.b} on {other.name}: compare on one board.")
    scores = compared(board, a, b, options.score)
    print(f"{a.label} against {b.label} on {board.title}, protocol {board.protocol}; differences are first - second.")
    print(aligned(HEADS, [cells(each) for each in scores], "<>>><>>>>><"))


def cells(each: Compared) -> list[str]:
    """Of one column under :data:`HEADS`: means, paired difference, pictures won, tests."""
    column, found = each.column, each.found
    if found is None:
        return [column.label, *[""] * 9, each.why]
    edges = (found.difference.mean, found.difference.low, found.difference.high)
    gap, low, high = (column.show(edge, signed=True) for edge in edges)
    tests = [f"{found.p_bootstrap:.2g}", f"{found.p_wilcoxon:.2g}", "real" if found.real else "not shown"]
    means = [column.show(mean) for mean in each.means]
    return [column.label, *means, gap, f"[{low}, {high}]", str(each.wins), str(found.ties), str(each.losses), *tests]


def _figures(options: argparse.Namespace) -> None:
    _say_left_out(options.board)
    for path in figures.draw(options.board, options.output, options.work, lambda line: print(f"No {line}")):
        print(path)


ACTIONS = {
    "add": _add, "render": _render, "check": _check, "verify": _verify,
    "pin": _pin, "cite": _cite, "compare": _compare, "figures": _figures,
}  # fmt: skip
