"""Pictures that a test left beside its result (``ResultRecorder(pictures=N)``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from bokehbench.board import results
from bokehbench.board.leaderboard import admit
from bokehbench.board.standings import Row, Standings
from bokehbench.errors import BokehbenchError
from bokehbench.figures.style import NothingToDraw

#: Name of the folder beside ``result.json``; in it a folder for each kind of picture.
FOLDER = "pictures"


def picture_file(folder: Path, kind: str, name: str) -> Path:
    """Where the ``input``, ``output``, ``target`` or ``in_focus`` of a picture lies, whatever its name holds."""
    return folder / kind / f"{quote(name, safe=' ')}.png"


@dataclass(frozen=True)
class Stored:
    """The pictures of one ranked result."""

    row: Row
    folder: Path


def find_stored(standings: Standings, work: Path | Sequence[Path]) -> list[Stored]:
    """Pictures of the board's ranked results below ``work``, in the order of the ranking.

    Where a result was measured twice, the newer pictures are taken. Results that are not on the board are passed over.
    """
    ranked = {row.result.id: row for row in standings.ranked}
    found: dict[str, Path] = {}
    for folder in [work] if isinstance(work, Path) else work:
        for file in sorted(folder.glob("**/result.json"), key=lambda path: path.stat().st_mtime):
            pictures = file.parent / FOLDER
            if not pictures.is_dir():
                continue
            try:
                identity = admit(standings.board, results.read(file)).id
            except BokehbenchError:
                continue  # of another board, or of a version before
            if identity in ranked:
                found[identity] = pictures
    return [Stored(row, found[id]) for id, row in ranked.items() if id in found]


def shared_names(stored: Sequence[Stored]) -> list[str]:
    """The names, in alphabetical order, of which every method has input, output and target.

    Raises:
        NothingToDraw: none.
    """
    if not stored:
        raise NothingToDraw(
            "contact sheet: no pictures of ranked results were found: give --work, the folder of a benchmark whose "
            "tests wrote pictures (ResultRecorder with pictures: 4)."
        )
    folders = [each.folder / kind for each in stored for kind in ("input", "output", "target")]
    there = [{unquote(file.stem) for file in folder.glob("*.png")} for folder in folders]
    names = sorted(set.intersection(*there, *(set(each.row.result.per_image) for each in stored)))
    if not names:
        raise NothingToDraw("contact sheet: there is no picture that all of the methods have stored.")
    return names
