"""Quality against seconds per picture."""

import math
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

from bokehbench.board.standings import Row, Standings
from bokehbench.board.statistics import Interval
from bokehbench.figures import style
from bokehbench.figures.labels import place_labels
from bokehbench.figures.recipes import recipes
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column

#: Matplotlib's markers, one for each device, and the sign that looks like it.
MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚"}


@dataclass(frozen=True)
class Point:
    """One recipe: the median of one rendering's ``seconds``, and the board's ranking ``score``.

    Of several seeds, whose networks are equal, the score is the mean and the time that of the least disturbed test, the
    lowest. ``on_front``: none timed on the same device is both faster and better.
    """

    label: str
    kind: str
    device: str
    seconds: float
    score: Interval
    on_front: bool = True


def points(standings: Standings) -> list[Point]:
    """Recipes of ranked results that have a time and a finite score, fastest first.

    Raises:
        NothingToDraw: fewer than two.
    """
    column = find_column(standings.board.rank_by)
    rows = [row for row in standings.ranked if _seconds(row) and math.isfinite(row.means[column.name].mean)]
    timed = []
    for recipe in recipes(rows):
        row = min(recipe.rows, key=_seconds)
        device, score = row.result.device or "unknown device", recipe.score(standings.board, column)
        timed.append(Point(recipe.label, style.kind(row.result), device, _seconds(row), score))
    if len(timed) < 2:
        raise style.NothingToDraw(f"quality against time: {len(timed)} ranked results have a time, two are needed.")
    found = [replace(one, on_front=not any(_beats(other, one, column) for other in timed)) for one in timed]
    return sorted(found, key=lambda point: (point.seconds, point.label))


def _seconds(row: Row) -> float:
    return row.result.seconds_per_image or 0.0


def _beats(other: Point, one: Point, column: Column) -> bool:
    """No slower and no worse on the same device, and not equal in both."""
    goods = column.goodness(other.score.mean), column.goodness(one.score.mean)
    no_worse = other.seconds <= one.seconds and goods[0] >= goods[1]
    return other.device == one.device and no_worse and (other.seconds, goods[0]) != (one.seconds, goods[1])


def draw(standings: Standings, path: Path) -> Path:
    """Write the figure; raises NothingToDraw as :func:`points` does."""
    data = points(standings)
    column = find_column(standings.board.rank_by)
    return style.paint(path, 4.6, lambda figure: _fill(figure, standings, column, data))


def _fill(figure: Any, standings: Standings, column: Column, data: list[Point]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    devices = list(dict.fromkeys(point.device for point in data))
    marker = dict(zip(devices, cycle(MARKERS), strict=False))
    notes = [style.INTERVALS, "Step line: nothing on the board is both faster and better."]
    if len(devices) > 1:
        which = "   ".join(f"{MARKERS[marker[device]]} {style.short(device, 60)}" for device in devices)
        notes[1] = "Step lines: nothing on the same device is both faster and better."
        notes.append(f"Several devices, times NOT COMPARABLE between them: {which}")
    if missing := [row.label for row in standings.ranked if not row.result.seconds_per_image]:
        notes.append("Without a time: " + style.short(", ".join(missing), 110))
    high, foot = figure.get_figheight(), 0.62 + 0.14 * len(notes)
    axes = figure.add_axes((0.085, foot / high, 0.895, 1 - (foot + 0.62) / high))
    where = f"{standings.board.title} · {devices[0]}" if len(devices) == 1 else standings.board.title
    style.head(figure, "Quality against time", where)
    style.kinds_line(figure, {point.kind for point in data}, high - 0.22)
    style.foot(figure, *notes)

    axes.set_xscale("log")
    seconds = [point.seconds for point in data]
    axes.set_xlim(min(seconds) / 1.6, max(seconds) * 2.5)
    ends = [e for p in data for e in (p.score.low, p.score.high, p.score.mean) if math.isfinite(e)]
    room = 0.06 * (max(ends) - min(ends) or 1.0)
    axes.set_ylim(min(ends) - room, max(ends) + room)
    axes.set_xlabel("seconds per picture (median of the rendering alone, logarithmic)")
    better = f"{column.better} is better" if column.ideal is None else f"{column.ideal:g} is best"
    axes.set_ylabel(f"{column.label}, {better}")
    if max(seconds) / min(seconds) < 300:  # else the powers of ten are enough
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")

    lines = [(p.seconds, p.score.low, p.seconds, p.score.high) for p in data if math.isfinite(p.score.low)]
    for device in devices:
        front = [point for point in data if point.device == device and point.on_front]
        if len(front) > 1:
            xs, ys = [p.seconds for p in front], [p.score.mean for p in front]
            axes.step(xs, ys, where="post", color="#BBBBBB", lw=1.4, zorder=1)
            for (x, y), (next_x, next_y) in pairwise(zip(xs, ys, strict=True)):
                lines += [(x, y, next_x, y), (next_x, min(y, next_y), next_x, max(y, next_y))]
    for point in data:
        colour = style.KINDS[point.kind]
        if math.isfinite(point.score.low):
            axes.plot([point.seconds] * 2, [point.score.low, point.score.high], color=colour, lw=1.2, alpha=0.55)
        face = colour if point.on_front else "white"
        shape = marker[point.device]
        axes.plot(point.seconds, point.score.mean, shape, color=colour, mfc=face, ms=6.5, mew=1.4, zorder=3)
    spots = [(point.seconds, point.score.mean) for point in data]
    names = [style.short(point.label) for point in data]
    place_labels(axes, spots, names, [style.KINDS[point.kind] for point in data], lines)
