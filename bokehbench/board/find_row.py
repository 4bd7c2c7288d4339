"""The row that somebody means by a label, a method's name, or the beginning of a result's id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bokehbench.board.identity import slug
from bokehbench.board.standings import Row, Standings
from bokehbench.errors import BokehbenchError, nearest


def find_row(wanted: str, boards: Mapping[Path, Standings]) -> tuple[Path, Row]:
    """The row with that label or id, else with that method or beginning of an id (4 or more digits), and its board.

    Args:
        wanted: what was typed.
        boards: the folder of each board that is searched, and its standings.

    Raises:
        BokehbenchError: none or several.
    """
    rows = [(folder, row) for folder, standings in boards.items() for row in standings.rows]
    found = [(folder, row) for folder, row in rows if wanted in (row.label, row.result.id)] or [
        (folder, row)
        for folder, row in rows
        if slug(wanted) in (slug(row.result.method), slug(row.label))
        or (len(wanted) >= 4 and row.result.id.startswith(wanted.lower()))
    ]
    if not found:
        known = {name for _, row in rows for name in (row.result.id, row.result.method, row.label)}
        where = ", ".join(folder.name for folder in boards)
        raise BokehbenchError(f"There is no result '{wanted}' on {where}; {nearest(wanted, known)}.")
    if len(found) > 1:
        which = "; ".join(f"{row.result.id} {row.label} on {folder.name}" for folder, row in found)
        raise BokehbenchError(f"'{wanted}' is not one result: give an id of {which}, or --board where there is one.")
    return found[0]
