"""The result that somebody means by a row's label, a method's name, or the beginning of an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bokehbench.board.identity import slug
from bokehbench.board.results import Result
from bokehbench.board.standings import labels
from bokehbench.errors import BokehbenchError, nearest


def find_row(wanted: str, boards: Mapping[Path, Sequence[Result]]) -> tuple[Path, Result]:
    """The result with that label or id, else with that method or beginning of an id (4 or more digits), and its board.

    Args:
        wanted: what was typed.
        boards: the folder of each board that is searched, and its results.

    Raises:
        BokehbenchError: none or several.
    """
    rows = [
        (folder, result, label)
        for folder, results in boards.items()
        for result, label in zip(results, labels(results).values(), strict=True)
    ]
    found = [row for row in rows if wanted in (row[2], row[1].id)] or [
        (folder, result, label)
        for folder, result, label in rows
        if slug(wanted) in (slug(result.method), slug(label))
        or (len(wanted) >= 4 and result.id.startswith(wanted.lower()))
    ]
    if not found:
        known = {name for _, result, label in rows for name in (result.id, result.method, label)}
        where = ", ".join(folder.name for folder in boards)
        raise BokehbenchError(f"There is no result '{wanted}' on {where}; {nearest(wanted, known)}.")
    if len(found) > 1:
        which = "; ".join(f"{result.id} {label} on {folder.name}" for folder, result, label in found)
        raise BokehbenchError(f"'{wanted}' is not one result: give an id of {which}, or --board where there is one.")
    return found[0][:2]
