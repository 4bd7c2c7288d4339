"""Where methods fail: near the border of what is in focus, on it, and behind it."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokehbench.board.standings import Standings
from bokehbench.board.statistics import Interval, interval
from bokehbench.figures import style
from bokehbench.metrics.columns import find_column

#: The first that a board has. The whole band rewards not blurring (docs/metrics/border.md).
BORDERS = ("psnr_border_changed", "psnr_border")
#: PSNR has no mean where one picture is perfect, as those of identity are in focus: hence SSIM there.
SIDES = ("ssim_in_focus", "ssim_out_of_focus")


@dataclass(frozen=True)
class Line:
    """One ranked result: its scores by region, ``{column: mean and interval}``."""

    label: str
    kind: str
    scores: dict[str, Interval]


def lines(standings: Standings) -> list[Line]:
    """Ranked results with a score near the border, the best there first; their first score is that one.

    Raises:
        NothingToDraw: none has one.
    """
    for border in BORDERS:
        found = []
        for row in standings.ranked:
            scores = {name: interval(list(row.result.values(name).values())) for name in (border, *SIDES)}
            if math.isfinite(scores[border].mean):
                found.append(Line(row.label, style.kind(row.result), scores))
        if found:
            return sorted(found, key=lambda line: (-line.scores[border].mean, line.label))
    raise style.NothingToDraw("quality near depth edges: no ranked result has scores by region (psnr_border).")


def draw(standings: Standings, path: Path) -> Path:
    """Write the figure; raises NothingToDraw as :func:`lines` does."""
    data = lines(standings)
    return style.paint(path, 1.5 + 0.27 * len(data), lambda figure: _fill(figure, standings, data))


def _fill(figure: Any, standings: Standings, data: list[Line]) -> None:
    high = figure.get_figheight()
    style.head(figure, "Quality near depth edges", f"{standings.board.title} · best near the border first")
    style.kinds_line(figure, {line.kind for line in data}, high - 0.22)
    style.foot(figure, style.INTERVALS, "Border: a band of 2 % of the shorter side on both sides of what is in focus.")
    names = [style.short(line.label, 26) for line in data]
    left = 0.025 + 0.0088 * max(map(len, names))
    gap = 0.025
    wide = (0.985 - left - gap * (len(data[0].scores) - 1)) / len(data[0].scores)
    for number, name in enumerate(data[0].scores):
        column = find_column(name)
        axes = figure.add_axes((left + number * (wide + gap), 0.62 / high, wide, 1 - 1.4 / high))
        axes.set_title(column.label, pad=5)
        axes.set_ylim(len(data) - 0.4, -0.6)
        axes.set_yticks(range(len(data)), names if number == 0 else [""] * len(data))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        for place, line in enumerate(data):
            score, colour = line.scores[name], style.KINDS[line.kind]
            if not math.isfinite(score.mean):
                why = "not measured" if math.isnan(score.mean) else "perfect on a picture"
                axes.text(0.5, place, why, color=style.GREY, fontsize=7.5, ha="center", va="center",
                          transform=axes.get_yaxis_transform())  # fmt: skip
                continue
            if math.isfinite(score.low):
                axes.plot([score.low, score.high], [place] * 2, color=colour, lw=1.4, alpha=0.55)
            axes.plot(score.mean, place, "o", color=colour, ms=6)
            shown = column.show(score.mean, decimals=min(column.decimals, 3))
            axes.annotate(shown, (score.mean, place), xytext=(0, 4.5), textcoords="offset points", ha="center",
                          va="bottom", fontsize=6.5, color=colour)  # fmt: skip
        axes.locator_params(axis="x", nbins=5)
        axes.margins(x=0.08)
    for tick, line in zip(figure.axes[0].get_yticklabels(), data, strict=True):
        tick.set_color(style.KINDS[line.kind])
        tick.set_fontsize(8.5)
