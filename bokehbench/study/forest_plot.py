"""The figure: strengths above, shares of every pair below, each with its interval."""

import math
from pathlib import Path
from typing import Any

from bokehbench.figures import style
from bokehbench.study.analysis import Analysis


def write(path: Path, analysis: Analysis) -> None:
    """Write a PNG; raises BokehbenchError where that is not possible."""
    rows = len(analysis.strengths) + sum(bool(pair.share.decided) for pair in analysis.pairs)
    style.paint(path, 0.36 * (rows + 2.4) + 1.2, lambda figure: _fill(figure, analysis))


def _fill(figure: Any, analysis: Analysis) -> None:
    strengths = analysis.strengths[::-1]
    pairs = [pair for pair in reversed(analysis.pairs) if pair.share.decided]
    figure.set_layout_engine("constrained")
    above, below = figure.subplots(2, 1, height_ratios=[len(strengths) + 1.2, len(pairs) + 1.2])
    for row, each in enumerate(strengths):
        if not math.isnan(each.low):
            above.plot([each.low, each.high], [row, row], color=style.BLUE, lw=2)
        above.plot(each.strength, row, "o", color=style.BLUE, ms=7)
    above.axvline(0, color=style.PALE, lw=1, zorder=0)
    above.set_xlabel("Bradley-Terry strength (log scale), 95 % interval over raters")
    _rows(above, [f"{each.method} ({each.mark})" if each.mark else each.method for each in strengths])
    for row, pair in enumerate(pairs):
        share = pair.share
        if not math.isnan(pair.low):
            below.plot([100 * pair.low, 100 * pair.high], [row, row], color=style.SKY, lw=7, alpha=0.6)
        below.plot([100 * share.low, 100 * share.high], [row, row], color=style.BLUE, lw=2)
        below.plot(100 * share.share, row, "s", color=style.BLUE, ms=6)
    below.axvline(50, color=style.PALE, lw=1, zorder=0)
    below.set_xlim(-2, 102)
    below.set_xlabel("% of decided votes for the first; line: exact 95 % interval, band: over raters")
    _rows(below, [f"{pair.first} over {pair.second}" for pair in pairs])


def _rows(axes: Any, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [style.short(name, 48) for name in names])
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
