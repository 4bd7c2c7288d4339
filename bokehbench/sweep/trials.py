"""What became of the trials: rows, tables, and the value that a run ended with."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import write_text


@dataclass(frozen=True)
class Row:
    """One trial.

    Args:
        number: Optuna's.
        values: what was varied.
        value: of the metric; None where the trial failed.
        seconds: wall time of its fit.
        why: it failed; empty otherwise.
        checkpoint: its last, where there is one.
    """

    number: int
    values: Mapping[str, Any]
    value: float | None
    seconds: float
    why: str = ""
    checkpoint: str = ""


def best(rows: Sequence[Row], goal: str) -> Row | None:
    """The best trial; None where all failed."""
    done = [row for row in rows if row.value is not None]
    sign = -1.0 if goal == "maximize" else 1.0
    return min(done, key=lambda row: sign * (row.value or 0.0), default=None)


def cells(rows: Sequence[Row], metric: str, goal: str) -> list[list[str]]:
    """Head and body of the table, the best first, what failed last."""
    names = list(rows[0].values) if rows else []
    sign = -1.0 if goal == "maximize" else 1.0
    ordered = sorted(rows, key=lambda row: (row.value is None, sign * (row.value or 0.0), row.number))
    table = [["trial", metric, *names, "seconds", "failed"]]
    for row in ordered:
        value = "" if row.value is None else f"{row.value:.5g}"
        table.append(
            [str(row.number), value, *(_short(row.values.get(name)) for name in names), f"{row.seconds:.0f}", row.why]
        )
    return table


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def text(table: Sequence[Sequence[str]]) -> str:
    """For a terminal; the first row after the head is marked if it did not fail."""
    wide = [max(len(row[column]) for row in table) for column in range(len(table[0]) - 1)]
    lines = []
    for number, row in enumerate(table):
        mark = "*" if number == 1 and row[1] else " "
        lines.append(mark + "  ".join([*(cell.rjust(w) for cell, w in zip(row, wide, strict=False)), row[-1]]).rstrip())
    return "\n".join(lines)


def write(folder: Path, rows: Sequence[Row], metric: str, goal: str) -> None:
    """Write ``trials.csv`` (full precision, by number) and ``trials.md`` (best first, in bold)."""
    names = list(rows[0].values) if rows else []
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["trial", metric, *names, "seconds", "failed", "checkpoint"])
    for row in sorted(rows, key=lambda row: row.number):
        value = "" if row.value is None else row.value
        values = [row.values.get(name) for name in names]
        writer.writerow([row.number, value, *values, round(row.seconds, 1), row.why, row.checkpoint])
    write_text(folder / "trials.csv", buffer.getvalue())
    head, *body = cells(rows, metric, goal)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for number, line in enumerate(body):
        shown = [cell.replace("|", "\\|") for cell in line]
        if number == 0 and line[1]:
            shown = [f"**{cell}**" if cell else "" for cell in shown]
        lines.append("| " + " | ".join(shown) + " |")
    write_text(folder / "trials.md", "\n".join(lines) + "\n")


def last_value(place: Path, metric: str) -> float:
    """The last value of ``metric`` that the run below ``place`` logged.

    Raises:
        BokehbenchError: it logged none, or one that is not finite.
    """
    files = sorted(place.glob("**/metrics.csv"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise BokehbenchError("the run left no metrics.csv")
    with files[-1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    known = [row[metric] for row in rows if row.get(metric)]
    if not known:
        logged = sorted({key for row in rows for key in row if key and key.startswith("val/")})
        raise BokehbenchError(f"the run logged no '{metric}'; {nearest(metric, logged)}")
    value = float(known[-1])
    if not math.isfinite(value):
        raise BokehbenchError(f"{metric} is {value}")
    return value
