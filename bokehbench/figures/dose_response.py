"""What a method blurs against what it was told: the dose response, and the V of the chart focused at 0.5."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from bokehbench.board.results import Result
from bokehbench.board.standings import Row, Standings
from bokehbench.board.statistics import interval
from bokehbench.figures import style
from bokehbench.figures.recipes import recipes

#: Of the charts' names: the focus that is drawn.
FOCUS = 0.5
STYLES = ("-", "--", ":")


def response(results: Sequence[Result]) -> list[tuple[float, float, float, float]]:
    """Told aperture, mean of the measured ones and its 95 % interval over scenes, px; sweeps with values only.

    Of trainings from several seeds all sweeps count.
    """
    found: dict[float, list[tuple[str, float]]] = {}
    for name, curve in (item for result in results for item in result.curves.items()):
        for told, measured in zip(curve.get("K", ()), curve.get("A", ()), strict=True):
            if measured is not None and np.isfinite(measured):
                found.setdefault(told, []).append((name.split("/")[0], measured))
    lines = []
    for told, pairs in sorted(found.items()):
        each = interval([value for _, value in pairs], [scene for scene, _ in pairs])
        lines.append((told, each.mean, each.low, each.high))
    return lines


def chart(results: Sequence[Result]) -> list[tuple[float, float]]:
    """Disparity and measured radius in px, mean over the charts focused at :data:`FOCUS`."""
    found: dict[float, list[float]] = {}
    for name, curve in (item for result in results for item in result.curves.items()):
        if name.endswith(f"/{FOCUS:g}") and "d" in curve:
            for disparity, radius in zip(curve["d"], curve["r"], strict=True):
                if radius is not None and np.isfinite(radius):
                    found.setdefault(round(disparity / 0.05 - 0.5) * 0.05 + 0.025, []).append(radius)
    return [(disparity, float(np.mean(radii))) for disparity, radii in sorted(found.items())]


def draw(standings: Standings, path: Path) -> Path:
    """Write the figure of the ranked rows.

    Raises:
        NothingToDraw: no result of the board holds curves of control.
    """
    rows = [row for row in standings.ranked if response([row.result])]
    if not rows:
        raise style.NothingToDraw("dose response: no ranked result holds curves, which `test --control` writes.")
    return style.paint(path, 4.4, lambda figure: _fill(figure, standings, rows))


def _fill(figure: Any, standings: Standings, rows: list[Row]) -> None:
    style.head(figure, "Told and measured blur", standings.board.title)
    left, right = figure.add_axes((0.07, 0.16, 0.31, 0.66)), figure.add_axes((0.44, 0.16, 0.31, 0.66))
    looks = [(colour, line) for line in STYLES for colour in style.CYCLE]
    farthest, told = 0.0, response([rows[0].result])[-1][0]
    for recipe, (colour, line) in zip(recipes(rows), cycle(looks), strict=False):
        results = [row.result for row in recipe.rows]
        x, mean, low, high = np.array(response(results)).T
        left.plot(x, mean, line, color=colour, lw=1.5, label=style.short(recipe.label, 31))
        left.fill_between(x, low, high, color=colour, alpha=0.12, lw=0)
        for row in recipe.rows:
            if knee := row.means["dose_knee"].count and row.means["dose_knee"].mean:
                left.axvline(knee, color=colour, lw=0.8, ls=":")
        if places := chart(results):
            right.plot(*np.array(places).T, line, color=colour, lw=1.5)
            farthest = max(farthest, *(radius for _, radius in places))
    left.plot([0, told], [0, told], color=style.GREY, lw=0.8, zorder=1)
    left.set_xlabel("aperture told, px")
    left.set_ylabel("aperture measured, px")
    right.axvline(FOCUS, color=style.GREY, lw=0.8, zorder=1)
    right.set_ylim(0, 1.1 * farthest or 1)
    right.set_xlabel(f"disparity; {FOCUS} is told to be in focus")
    right.set_ylabel("measured blur radius, px")
    figure.legend(*left.get_legend_handles_labels(), loc="center right", bbox_to_anchor=(0.995, 0.5), fontsize=7)
    style.foot(
        figure,
        "Left: bands are 95 % bootstrap intervals over scenes, grey is right. Right: 4 charts. Means over seeds.",
    )
