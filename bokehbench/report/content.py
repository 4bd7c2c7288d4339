"""What the pages show, computed from standings: plain values for the templates and for the scripts."""

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import yaml

from bokehbench.board.costs import COSTS
from bokehbench.board.identity import plain
from bokehbench.board.results import Result
from bokehbench.board.standings import Row, Standings
from bokehbench.data.folders import natural
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column

#: Pictures per data file: one such file is read for a picture's page.
CHUNK = 50
#: Worst and best pictures shown per method.
EXTREMES = 6


def picture_names(standings: Standings) -> list[str]:
    """Names of all pictures that any row scored, in natural order."""
    return sorted({name for row in standings.rows for name in row.result.per_image}, key=lambda n: (natural(n), n))


def picture_key(name: str) -> str:
    """What stands for a picture's name in names of files: names may hold anything."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def measured_columns(standings: Standings) -> tuple[Column, ...]:
    """The board's columns of which any row has a value."""
    return tuple(c for c in standings.board.scores if any(row.means[c.name].count for row in standings.rows))


def unmeasured(standings: Standings) -> dict[str, str]:
    """Heading of each column without any value -> why."""
    shown = measured_columns(standings)
    return {
        c.label: next((row.result.missing[c.name] for row in standings.rows if c.name in row.result.missing), "")
        for c in standings.board.scores
        if c not in shown
    }


def extremes(standings: Standings, row: Row) -> tuple[list[str], list[str]]:
    """Names of a row's worst and best pictures by the ranking score, the most extreme first; no picture in both."""
    column = find_column(standings.board.rank_by)
    values = row.result.values(column.name)
    order = sorted(values, key=lambda name: (column.goodness(values[name]), name))
    count = min(EXTREMES, len(order) // 2)
    return order[:count], order[::-1][:count]


def board_data(standings: Standings, slots: Sequence[Any], pictures: int) -> dict[str, Any]:
    """For the plot and the pictures' pages."""
    columns = measured_columns(standings)
    methods = [
        {
            "id": row.result.id,
            "label": row.label,
            "rank": row.rank,
            "device": row.result.device,
            "means": {c.name: [mean.mean, mean.low, mean.high] for c in columns if (mean := row.means[c.name]).count},
            "costs": {cost.name: cost.value(row.result) for cost in COSTS},
        }
        for row in standings.rows
    ]
    return {
        "name": standings.board.name,
        "title": standings.board.title,
        "rankBy": standings.board.rank_by,
        "chunk": CHUNK,
        "count": pictures,
        "columns": [{"name": c.name, "label": c.label, "better": c.better, "decimals": c.decimals} for c in columns],
        "costs": [{"name": c.name, "label": c.label, "unit": c.unit} for c in COSTS],
        "methods": methods,
        "slots": [{"key": slot.key, "label": slot.label, "pictures": bool(slot.files)} for slot in slots],
    }


def overview_data(standings: Standings, names: Sequence[str], thumbnails: Sequence[bool]) -> dict[str, Any]:
    """For the grid of pictures: names, keys, which have a thumbnail, and the ranking score of every method."""
    column = find_column(standings.board.rank_by)
    return {
        "names": list(names),
        "keys": [picture_key(name) for name in names],
        "thumbnails": [int(known) for known in thumbnails],
        "scores": {row.result.id: [_rounded(row.result, n, column) for n in names] for row in standings.rows},
    }


def chunk_data(
    standings: Standings, names: Sequence[str], pictures: Mapping[str, Mapping[str, Sequence[Any]]]
) -> list[dict[str, Any]]:
    """For the pages of ``names``: scores of every method and column, and size and suffix of every stored picture."""
    columns = measured_columns(standings)
    # The ids are hashes over all names of pictures: not to be computed once per picture.
    results = [(row.result.id, row.result) for row in standings.rows]
    return [
        {
            "scores": {id: [_rounded(result, name, c) for c in columns] for id, result in results},
            "pictures": pictures.get(name, {}),
        }
        for name in names
    ]


def _rounded(result: Result, name: str, column: Column) -> float:
    value = result.per_image.get(name, {}).get(column.name, math.nan)
    return round(value, column.decimals) if math.isfinite(value) else value


def wall_time(result: Result) -> str:
    """Of the training, in words; empty where it is not known."""
    effort = result.training.get("effort", {})
    return f"{effort['seconds'] / 3600:.2f} h on {effort.get('device', '?')}" if effort.get("seconds") else ""


def as_yaml(value: Mapping[str, Any], without: Collection[str] = ()) -> str:
    """A record as lines to read, but for its keys ``without``; empty where there is nothing in it."""
    kept = plain({key: each for key, each in value.items() if key not in without})
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=100).rstrip() if kept else ""
