"""The trainings of one recipe from several seeds, which figures draw as one."""

from collections.abc import Sequence
from dataclasses import dataclass

from bokehbench.board.boards import Board
from bokehbench.board.network import full_name
from bokehbench.board.seeds import over_seeds, repeated
from bokehbench.board.standings import Row, mean_of
from bokehbench.board.statistics import Interval
from bokehbench.counted import counted
from bokehbench.metrics.column import Column


@dataclass(frozen=True)
class Recipe:
    """A label and its rows, one for each seed, the best first."""

    label: str
    rows: tuple[Row, ...]

    def score(self, board: Board, column: Column) -> Interval:
        """The mean over pictures, each averaged over the trainings."""
        if len(self.rows) == 1:
            return self.rows[0].means[column.name]
        return mean_of(board, column, over_seeds([row.result for row in self.rows], column.name))


def recipes(rows: Sequence[Row]) -> list[Recipe]:
    """The recipes of ``rows``, in the order of the board."""
    groups = repeated([row.result for row in rows])
    of = {result.id: group for group in groups for result in group}
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(of.get(row.result.id, [row.result])[0].id, []).append(row)
    return [Recipe(_label(group), tuple(group)) for group in found.values()]


def _label(rows: Sequence[Row]) -> str:
    if len(rows) == 1:
        return rows[0].label
    result = rows[0].result
    return f"{full_name(result)} ({', '.join(filter(None, (result.variant, counted(len(rows), 'seed'))))})"
