"""What became of the trials: rows, tables, and the value that a run ended with."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokehbench import tables
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import write_text


@dataclass(frozen=True)
class Row:
    """One trial: Optuna's ``number``, the ``values`` that were varied, the metric's ``value`` (None: it failed, and
    ``why``), the wall time of its fit, its last ``checkpoint``, where there is one, and the ``machine`` it ran on."""

    number: int
    values: Mapping[str, Any]
    value: float | None
    seconds: float
    why: str = ""
    checkpoint: str = ""
    machine: str = ""


def _ordered(rows: Sequence[Row], goal: str) -> list[Row]:
    """The best first, what failed last."""
    sign = -1.0 if goal == "maximize" else 1.0
    return sorted(rows, key=lambda row: (row.value is None, sign * (row.value or 0.0), row.number))


def best(rows: Sequence[Row], goal: str) -> Row | None:
    """The best trial; None where all failed."""
    return next((row for row in _ordered(rows, goal) if row.value is not None), None)


def _cells(rows: Sequence[Row], metric: str, goal: str) -> tuple[list[str], list[list[str]]]:
    """Head and body of the table."""
    names = list(rows[0].values) if rows else []
    body = [
        [str(row.number), tables.number(row.value, ".5g"), *map(_short, row.values.values()), f"{row.seconds:.0f}",
         row.why]
        for row in _ordered(rows, goal)
    ]  # fmt: skip
    return ["trial", metric, *names, "seconds", "failed"], body


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def text(rows: Sequence[Row], metric: str, goal: str) -> str:
    """For a terminal, the best first, with a mark."""
    heads, body = _cells(rows, metric, goal)
    return tables.aligned(heads, body, ">" * (len(heads) - 1) + "<", 0 if best(rows, goal) else -1)


def write(folder: Path, rows: Sequence[Row], metric: str, goal: str) -> None:
    """Write ``trials.csv`` (full precision, by number) and ``trials.md`` (best first, in bold)."""
    heads, body = _cells(rows, metric, goal)
    lines = [
        [row.number, row.value, *row.values.values(), round(row.seconds, 1), row.why, row.checkpoint,
         row.machine]
        for row in sorted(rows, key=lambda row: row.number)
    ]  # fmt: skip
    write_text(folder / "trials.csv", tables.csv_text([*heads, "checkpoint", "machine"], lines))
    if best(rows, goal):
        body[0] = [f"**{cell}**" if cell else "" for cell in body[0]]
    write_text(folder / "trials.md", tables.markdown(heads, body) + "\n")


def last_value(place: Path, metric: str) -> float:
    """The last value of ``metric`` that the run below ``place`` logged.

    Raises:
        BokehbenchError: it logged none, or one that is not finite.
    """
    files = sorted(place.glob("**/metrics.csv"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise BokehbenchError("the run left no metrics.csv")
    with files[-1].open(newline="") as file:
        rows = list(csv.DictReader(file))  # pandas would take a logged NaN for a value that was not logged
    known = [row[metric] for row in rows if row.get(metric)]
    if not known:
        logged = {key for row in rows for key in row if key and key.startswith("val/")}
        raise BokehbenchError(f"the run logged no '{metric}'; {nearest(metric, logged)}")
    value = float(known[-1])
    if not math.isfinite(value):
        raise BokehbenchError(f"{metric} is {value}")
    return value
