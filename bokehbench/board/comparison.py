"""Two results of a board against each other, score by score."""

from dataclasses import dataclass
from pathlib import Path

from bokehbench.board.boards import Board
from bokehbench.board.results import read_all
from bokehbench.board.standings import Row, find_row, read_standings
from bokehbench.board.statistics import Comparison, compare
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.column import Column


@dataclass(frozen=True)
class Compared:
    """One score of two results.

    Attributes:
        column: the score.
        means: of the first and of the second.
        found: first - second, picture by picture; None: they cannot be compared.
        why: they cannot be.
    """

    column: Column
    means: tuple[float, float]
    found: Comparison | None
    why: str = ""

    @property
    def wins(self) -> int:
        """Pictures on which the first is better."""
        assert self.found is not None
        return self.found.wins if self.column.better == "higher" else self.found.losses

    @property
    def losses(self) -> int:
        """Pictures on which the second is better."""
        assert self.found is not None
        return self.found.losses if self.column.better == "higher" else self.found.wins


def read_row(wanted: str, folders: list[Path]) -> tuple[Path, Board, Row]:
    """The result that is meant (:func:`find_row`) on the boards of these folders: folder, board and row."""
    folder, result = find_row(wanted, {folder: read_all(folder) for folder in folders})
    standings = read_standings(folder)
    return folder, standings.board, next(row for row in standings.rows if row.result.id == result.id)


def compared(board: Board, a: Row, b: Row, score: str | None = None) -> list[Compared]:
    """Two rows of a board, all of its scores or one; BokehbenchError where it has no such score."""
    columns = [column for column in board.scores if score in (None, column.name)]
    if not columns:
        raise BokehbenchError(f"There is no score '{score}' on {board.name}; {nearest(str(score), board.columns)}.")
    return [_compared(column, a, b) for column in columns]


def _compared(column: Column, a: Row, b: Row) -> Compared:
    one, two = (_values(row, column) for row in (a, b))
    means = a.means[column.name].mean, b.means[column.name].mean
    if not set(one) & set(two):
        return Compared(column, means, None, "not measured in both")
    try:
        return Compared(column, means, compare(one, two))
    except BokehbenchError:
        return Compared(column, means, None, "perfect pictures in one only")


def _values(row: Row, column: Column) -> dict[str, float]:
    """Per-image values of which more, or less, is better: distances from what is right, where a number is."""
    values, ideal = row.result.values(column.name), column.ideal
    return values if ideal is None else {name: abs(value - ideal) for name, value in values.items()}
