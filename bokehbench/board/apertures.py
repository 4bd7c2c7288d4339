"""Means per f-number. Plain Python: starts without torch."""

import math
from collections.abc import Sequence

from bokehbench.board.results import Result
from bokehbench.board.standings import Row
from bokehbench.board.statistics import mean
from bokehbench.f_numbers import grouped, written
from bokehbench.metrics.column import Column


def by_f_number(rows: Sequence[Row], columns: Sequence[Column]) -> list[tuple[Row, list[tuple[str, int, list[str]]]]]:
    """Rows with pictures at several f-numbers -> for each of these: f-number, pictures, the columns' means as shown."""
    found = []
    for row in rows:
        groups = grouped(row.result.f_numbers)
        parts = [(f"f/{written(f_number)}", len(names), [_mean(row.result, column, names) for column in columns])
                 for f_number, names in groups.items()]  # fmt: skip
        found += [(row, parts)] if parts else []
    return found


def _mean(result: Result, column: Column, names: Sequence[str]) -> str:
    found = mean(result.per_image.get(name, {}).get(column.name, math.nan) for name in names)
    return "n/a" if math.isnan(found) else column.show(found)
