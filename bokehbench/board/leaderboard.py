"""A board's folder: admit results, write its tables, check that the tables are what the files say."""

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bokehbench.board import results
from bokehbench.board.boards import Board, read_board
from bokehbench.board.identity import OUTPUTS_ONLY, plain
from bokehbench.board.markdown import page
from bokehbench.board.results import Result
from bokehbench.board.standings import read_standings
from bokehbench.board.tables import csv_text, latex
from bokehbench.errors import BokehbenchError
from bokehbench.files import locked, write_text
from bokehbench.names import as_first_recorded


def add(folder: Path, result: Result, replace: bool = False) -> Path:
    """Check a result against its board, set the flags that the board decides, store it. Tables are not rendered.

    With ``replace`` it takes the place of the same measurement that knew less of its provenance; every column that the
    board shows must be there again, with the same values.

    Raises:
        BokehbenchError: of another board, version, protocol or set of pictures, drift, a folder of outputs that is on
            the board under another method's name, or a result of an older bokehbench that lacks the fingerprints.
    """
    with locked(folder):
        return _add(folder, result, replace)


def _add(folder: Path, result: Result, replace: bool) -> Path:
    board = read_board(folder)
    admitted = admit(board, result)
    there = results.place(folder, admitted)
    if board.fingerprints.keys() & admitted.per_image.keys() and not admitted.fingerprints and not there.exists():
        raise BokehbenchError(
            f"{result.method} {result.id} does not tell its targets' fingerprints, by which {board.name} knows its "
            "pictures: test it again with this bokehbench."
        )
    if replace and there.exists():
        lost = set(results.read(there).columns) & set(board.columns) - set(admitted.columns)
        if lost:
            raise BokehbenchError(f"{there} has {', '.join(sorted(lost))}, which the new result lacks: it stays.")
    if result.weights_hash == OUTPUTS_ONLY:
        for other in results.read_all(folder):
            if other.prediction_hash == result.prediction_hash and other.method != result.method:
                raise BokehbenchError(
                    f"The outputs of {result.method} are byte-identical to those of {other.method} on {result.board}: "
                    "one of the two is mislabelled."
                )
    return results.write(folder, admitted, replace)


def admit(board: Board, result: Result) -> Result:
    """The result with the flags that the board knows: incomplete, contaminated, untrained, matched.

    Raises:
        BokehbenchError: it does not belong on this board; says why.
    """
    who = f"{result.method} {result.id}"
    if (result.board, result.board_version) != (board.name, board.version):
        raise BokehbenchError(
            f"{who} was measured for {result.board} version {result.board_version}, not for {board.name} version "
            f"{board.version}: measure it again."
        )
    if _choices(result.protocol) != _choices(board.evaluator.describe()):
        raise BokehbenchError(f"{who} was scored under another protocol than {board.name}'s '{board.protocol}'.")
    lacks = board.ranking.may_lack and board.rank_by in result.missing
    if board.rank_by not in result.columns and not lacks:
        raise BokehbenchError(f"{who} has no {board.rank_by}, by which {board.name} ranks.")
    strangers = sorted(set(result.per_image) - board.ids) if board.ids is not None else []
    if strangers or len(result.per_image) > board.count:
        shown = ", ".join(strangers[:5]) or f"{len(result.per_image)} instead of {board.count}"
        raise BokehbenchError(f"{who} has pictures that are not in {board.split} ({shown}): score that split alone.")
    recorded = result.inference.get("data") or {}
    recorded = recorded if result.format == 1 else as_first_recorded(recorded)
    board.refuse_settings(recorded, who, whole=result.format > 2 and bool(recorded))
    board.refuse_targets(result.target_hash, len(result.per_image), who)
    for name in result.per_image if result.fingerprints else ():
        board.refuse_fingerprint(name, result.fingerprints.get(name, ()), who)
    searched = result.inference.get("matched") or {}
    if board.search is not None and plain(searched) != plain(board.search.describe()):
        how = "by another search" if searched else "without"
        raise BokehbenchError(
            f"{who} was measured {how}, and {board.name} matches every row's strength: test it again for this board."
        )
    complete = len(result.per_image) == board.count
    decided = {"incomplete": not complete, "contaminated": bool(board.contamination(result)),
               "untrained": result.untrained, "matched": bool(searched) and board.search is None}  # fmt: skip
    flags = {flag for flag in result.flags if flag not in decided} | {flag for flag, right in decided.items() if right}
    return replace(result, flags=tuple(sorted(flags)))


def _choices(protocol: Mapping[str, Any]) -> Any:
    """What a protocol does; its one-line summary may be reworded."""
    return plain({key: value for key, value in protocol.items() if key != "summary"})


def files(folder: Path) -> dict[Path, str]:
    """Every generated file of a board and its text: tables in its folder, and the docs page in a checkout.

    Raises:
        BokehbenchError: a file of the board is not right.
    """
    standings = read_standings(folder)
    texts = {
        folder / "table.md": page(standings),
        folder / "table.csv": csv_text(standings),
        folder / "table.tex": latex(standings),
    }
    docs = folder.resolve().parents[1] / "docs" / "leaderboards"
    if docs.is_dir() and folder.resolve().parent.name == "leaderboards":
        texts[docs / f"{folder.name}.md"] = page(standings, f"../../leaderboards/{folder.name}/results")
    return texts


def render(folder: Path) -> list[Path]:
    """Write the tables of a board; returns the files.

    Of several processes that add and render, the last to render has read what all of them added.
    """
    with locked(folder):
        texts = files(folder)
        for path, text in texts.items():
            write_text(path, text)
    return list(texts)


def check(folder: Path) -> list[str]:
    """Problems of a board: results that it would not admit, tables that differ by a byte from what render writes."""
    board, (stored, problems) = read_board(folder), results.read_stored(folder)
    lost = sorted(set(board.withdrawn) - {result.id for result in stored})
    problems += [f"{folder / 'board.yaml'}: there is no result {id} to withdraw." for id in lost]
    for result in stored:
        if result.board_version != board.version:
            continue  # kept for the record, listed as unranked
        try:
            flags = admit(board, result).flags
        except BokehbenchError as error:
            problems.append(str(error))
            continue
        if flags != tuple(sorted(result.flags)):
            problems.append(f"{results.place(folder, result)}: flags {result.flags} should be {flags}.")
    for path, text in files(folder).items():
        try:
            old = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            problems.append(f"{path} is missing: run `bokehbench leaderboard render`.")
            continue
        if old != text:
            lines = difflib.unified_diff(old.splitlines(), text.splitlines(), "file", "rendered", lineterm="", n=0)
            shown = "\n    ".join(list(lines)[2:6])
            problems.append(f"{path} is not what the files say: run `bokehbench leaderboard render`.\n    {shown}")
    return problems
