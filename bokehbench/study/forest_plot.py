"""The figure: strengths above, shares of every pair below, each with its interval."""

from __future__ import annotations

import math
from pathlib import Path

from bokehbench.files import write_atomic
from bokehbench.study.analysis import Analysis

INK, FAINT = "#1f4e79", "#9db8d2"


def write(path: Path, analysis: Analysis) -> None:
    """Write a PNG.

    Raises:
        BokehbenchError: the file cannot be written.
    """
    import warnings

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    strengths = analysis.strengths
    pairs = [pair for pair in analysis.pairs if pair.share.decided]
    heights = [len(strengths) + 1.2, len(pairs) + 1.2]
    figure = Figure(figsize=(8, 0.36 * sum(heights) + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=heights)
    for row, each in enumerate(reversed(strengths)):
        if not math.isnan(each.low):
            above.plot([each.low, each.high], [row, row], color=INK, lw=2, solid_capstyle="butt")
        above.plot(each.strength, row, "o", color=INK, ms=7)
    above.axvline(0, color="0.8", lw=1, zorder=0)
    above.set_xlabel("Bradley-Terry strength (log scale), 95 % interval over raters")
    _rows(above, [f"{each.method} ({each.mark})" if each.mark else each.method for each in reversed(strengths)])
    for row, pair in enumerate(reversed(pairs)):
        share = pair.share
        if not math.isnan(pair.low):
            below.plot([100 * pair.low, 100 * pair.high], [row, row], color=FAINT, lw=7, solid_capstyle="butt")
        below.plot([100 * share.low, 100 * share.high], [row, row], color=INK, lw=2, solid_capstyle="butt")
        below.plot(100 * share.share, row, "s", color=INK, ms=6)
    below.axvline(50, color="0.8", lw=1, zorder=0)
    below.set_xlim(-2, 102)
    below.set_xlabel("% of decided votes for the first; line: exact 95 % interval, band: over raters")
    _rows(below, [f"{pair.first} over {pair.second}" for pair in reversed(pairs)])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        write_atomic(path, lambda file: figure.savefig(file, format="png", dpi=150))


def _rows(axes: object, names: list[str]) -> None:
    shown = [name if len(name) <= 48 else f"{name[:47]}…" for name in names]
    axes.set_yticks(range(len(shown)), shown)  # type: ignore[attr-defined]
    for label in axes.get_yticklabels():  # type: ignore[attr-defined]
        label.set_parse_math(False)  # a method may be called "$x"
    axes.set_ylim(-0.7, len(shown) - 0.3)  # type: ignore[attr-defined]
    axes.tick_params(axis="y", length=0)  # type: ignore[attr-defined]
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)  # type: ignore[attr-defined]
