"""Published numbers as tables show them: a line per method and source, a column per kind of figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bokehbench.board.reported import Reported

#: Kinds of figures in the order of columns; others follow by name.
ORDER = ("PSNR", "SSIM", "LPIPS", "Params", "GFLOPs", "Runtime")


@dataclass
class Published:
    """What one source prints of one method: kind of figure -> its numbers, and the notes on them, each once."""

    method: str
    year: str
    source: str
    figures: dict[str, list[Reported]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


def by_source(reported: Sequence[Reported]) -> list[Published]:
    """The numbers by method and source, in the order of their first ones."""
    found: dict[tuple[str, str, str], Published] = {}
    for row in reported:
        one = found.setdefault((row.method, row.year, row.source), Published(row.method, row.year, row.source))
        one.figures.setdefault(row.metric, []).append(row)
        one.notes |= dict.fromkeys(part for note in (row.flag, row.note) for part in note.split("; ") if part)
    return list(found.values())


def kinds(reported: Sequence[Reported]) -> list[str]:
    """The kinds of figures among ``reported``."""
    known = {row.metric for row in reported}
    return [kind for kind in (*ORDER, *sorted(known - set(ORDER))) if kind in known]


def with_unit(row: Reported) -> str:
    """A number as printed, with the unit where the kind of figure does not say it."""
    return row.value if row.unit in ("dB", "unitless", "", "GFLOPs") else f"{row.value} {row.unit}"
