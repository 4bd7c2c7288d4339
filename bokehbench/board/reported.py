"""Published numbers, each with its source, and whether ours reproduce them."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from bokehbench.board.boards import Board
from bokehbench.board.identity import slug
from bokehbench.board.network import full_name
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_bytes
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import columns, find_column
from bokehbench.metrics.protocols import PROTOCOLS, Protocol, find_protocol

#: Kinds of published figures in the order of a table's columns; others follow by name.
ORDER = ("PSNR", "SSIM", "LPIPS", "Params", "GFLOPs", "Runtime")


@dataclass(frozen=True)
class Reported:
    """One published number.

    Attributes:
        value: as printed, so that its last digit is known.
        split: of the board it belongs to; empty for figures that have none (parameters, GFLOPs).
        protocol: name of the evaluator, or empty where the source does not say.
        flag: a key of :data:`bokehbench.board.results.FLAGS`, or empty.
    """

    method: str
    year: str
    metric: str
    value: str
    unit: str
    split: str
    protocol: str
    source: str
    note: str
    flag: str

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0 ** -len(self.value.partition(".")[2])


@dataclass
class Published:
    """What one source prints of one method: kind of figure -> its numbers, and the notes on them, each once."""

    method: str
    year: str
    source: str
    figures: dict[str, list[Reported]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Beside:
    """A published number beside ours.

    Attributes:
        ours: our mean, or None.
        status: ``reproduced``, ``differs``, ``not comparable`` or ``quoted``.
        why: the reason, where there is more to say.
    """

    reported: Reported
    ours: float | None
    status: str
    why: str = ""

    @property
    def difference(self) -> float | None:
        """Ours minus the published value; None where that would be comparing unlike things."""
        if self.ours is None or self.status == "not comparable":
            return None
        return self.ours - float(self.reported.value)


def read_reported(folder: Path) -> list[Reported]:
    """The rows of ``reported.csv``; none where there is no such file.

    Raises:
        BokehbenchError: other columns, a value that is no number, no source, or an unknown protocol.
    """
    path = folder / "reported.csv"
    if not path.exists():
        return []
    names = [each.name for each in fields(Reported)]
    try:
        head, *lines = csv.reader(read_bytes(path).decode().splitlines(keepends=True))
    except (OSError, ValueError, csv.Error) as error:  # no line at all, or not UTF-8, is a ValueError
        raise BokehbenchError(f"{path} cannot be read as a table ({error}): write it as CSV in UTF-8.") from error
    if head != names or any(len(line) != len(names) for line in lines if line):
        raise BokehbenchError(f"{path} needs the columns {','.join(names)}, and a cell for each in every line.")
    rows = [Reported(*line) for line in lines if line]
    for line, row in enumerate(rows, 2):
        try:
            known = math.isfinite(float(row.value))
        except ValueError:
            known = False
        if not known:
            raise BokehbenchError(f"{path}:{line}: '{row.value}' is not a number.")
        if not row.source or not row.method:
            raise BokehbenchError(f"{path}:{line}: every published number needs its method and its source.")
        if row.protocol and row.protocol not in PROTOCOLS:
            raise BokehbenchError(f"{path}:{line}: there is no protocol '{row.protocol}'.")
    return rows


def definition(protocol: Protocol, column: str) -> tuple[object, ...]:
    """Everything in ``protocol`` that a column's value depends on: equal definitions give equal numbers."""
    if column == "psnr":
        return (*protocol.geometry, protocol.peak, protocol.averaging)
    for kind in protocol.ssim:
        if kind.name == column:
            return (*protocol.geometry, kind.window, kind.covariance, kind.downsample)
    return (*protocol.geometry, column, protocol.lpips if column == "lpips" else None)


def family(metric: str) -> list[Column]:
    """Our columns that measure what papers call ``metric``; none for figures that are no score."""
    return [column for column in columns().values() if column.published == metric]


def column_of(board: Board, reported: Reported) -> str | None:
    """Our column that measures what was published; None where the board has none.

    Where the source does not say how it measured, the first column of the family is taken.
    """
    kin = [column.name for column in family(reported.metric)]
    ours = [name for name in board.columns if name in kin]
    if not reported.protocol:
        return ours[0] if ours else None
    theirs = find_protocol(reported.protocol)
    wanted = definition(theirs, next((name for name in theirs.columns if name in kin), kin[0] if kin else ""))
    return next((name for name in ours if definition(board.evaluator, name) == wanted), None)


def shown_as(board: Board, reported: Reported) -> Column:
    """How a published score is written: as our column that measures the same, else as the first of its family."""
    ours = column_of(board, reported)
    return find_column(ours) if ours is not None else family(reported.metric)[0]


def beside(board: Board, reported: Reported, result: Result | None) -> Beside:
    """A published number beside a result of ours, and what that shows."""
    if result is None:
        return Beside(reported, None, "quoted")
    column = column_of(board, reported)
    if reported.split != board.split:
        return Beside(reported, None, "not comparable", f"other split: {reported.split or 'not stated'}")
    if column is None:
        other = f"protocol {reported.protocol}" if reported.protocol else f"no {reported.metric} on this board"
        return Beside(reported, None, "not comparable", f"other metric: {other}")
    values = list(result.values(column).values())
    if not values:
        return Beside(reported, None, "not comparable", f"{column} was not measured")
    ours = sum(values) / len(values)
    if "incomplete" in result.flags:
        return Beside(reported, ours, "not comparable", f"{len(result.per_image)} of {board.count} pictures")
    if "matched" in result.flags:
        return Beside(reported, ours, "not comparable", "strength matched to the target")
    if result.network.get("name"):
        return Beside(reported, ours, "not comparable", f"another network: {full_name(result)}")
    near = abs(ours - float(reported.value)) <= find_column(column).reproduced + reported.half_unit
    unsure = "" if reported.protocol else "the source does not state its protocol"
    return Beside(reported, ours, "reproduced" if near else "differs", unsure)


def all_beside(board: Board, reported: list[Reported], results: list[Result]) -> list[Beside]:
    """Every published score beside our best-known result of the same method, in the order of ``reported.csv``.

    ``results`` come best first: ranked ones before unranked ones.
    """
    first: dict[str, Result] = {}
    for result in results:
        first.setdefault(slug(result.method), result)
    return [beside(board, row, first.get(slug(row.method))) for row in reported if family(row.metric)]


def by_source(reported: Sequence[Reported]) -> list[Published]:
    """The numbers by method and source, in the order of their first ones."""
    found: dict[tuple[str, str, str], Published] = {}
    for row in reported:
        one = found.setdefault((row.method, row.year, row.source), Published(row.method, row.year, row.source))
        one.figures.setdefault(row.metric, []).append(row)
        one.notes |= dict.fromkeys(part for note in (row.flag, row.note) for part in note.split("; ") if part)
    return list(found.values())


def kinds(reported: Sequence[Reported]) -> list[str]:
    """The kinds of figures among ``reported``, in the order of a table's columns."""
    known = {row.metric for row in reported}
    return [kind for kind in (*ORDER, *sorted(known - set(ORDER))) if kind in known]


def with_unit(row: Reported) -> str:
    """A number as printed, with the unit where the kind of figure does not say it."""
    return row.value if row.unit in ("dB", "unitless", "", "GFLOPs") else f"{row.value} {row.unit}"
