"""Names beside points so that they hide neither each other nor the points."""

from collections.abc import Sequence
from typing import Any

#: Places round a point as seen from it, right (1, 0) and below (0, -1); the best first.
PLACES = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))
#: Distances that are tried, in points; from the second on a line leads from the name to its point.
DISTANCES = (6.0, 16.0, 30.0)

Box = tuple[float, float, float, float]


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes (left, low, right, high) share."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(high, 0.0)


def around(x: float, y: float, wide: float, high: float, place: tuple[int, int], distance: float) -> Box:
    """Box of a name of that size beside the point (x, y); all in pixels."""
    dx, dy = place
    left, low = x + dx * distance - wide * (1 - dx) / 2, y + dy * distance - high * (1 - dy) / 2
    return left, low, left + wide, low + high


def place_labels(axes: Any, points: Sequence[tuple[float, float]], names: Sequence[str], colours: Sequence[str],
                 obstacles: Sequence[Box]) -> None:  # fmt: skip
    """Write ``names`` in their ``colours`` beside ``points`` of matplotlib's ``axes``, whose layout must be final.

    ``obstacles`` are boxes (left, low, right, high) that names should not cover: intervals, lines. They and the points
    are in data coordinates.
    """
    dot = axes.figure.dpi / 72
    spots = [tuple(axes.transData.transform(point)) for point in points]
    taken = [(x - 4 * dot, y - 4 * dot, x + 4 * dot, y + 4 * dot) for x, y in spots]
    for left, low, right, high in obstacles:
        (x0, y0), (x1, y1) = axes.transData.transform((left, low)), axes.transData.transform((right, high))
        taken.append((x0 - 3 * dot, y0 - 3 * dot, x1 + 3 * dot, y1 + 3 * dot))  # thin: makes a crossing count
    frame = axes.get_window_extent()
    for (x, y), name, colour in zip(spots, names, colours, strict=True):
        text = axes.annotate(name, (x, y), xycoords="figure pixels", fontsize=8.5, color=colour)
        extent = text.get_window_extent()
        tries = []
        for distance in DISTANCES:
            for number, place in enumerate(PLACES):
                box = around(x, y, extent.width, extent.height, place, distance * dot)
                outside = extent.width * extent.height - overlap(box, (frame.x0, frame.y0, frame.x1, frame.y1))
                cost = sum(overlap(box, other) for other in taken) + 4 * outside
                cost += (distance - DISTANCES[0]) * dot * 3 + number * dot  # the nearest of the free places
                tries.append((cost, distance, box))
        _, distance, box = min(tries, key=lambda each: each[0])
        text.set(position=box[:2], va="bottom")
        taken.append(box)
        if distance > DISTANCES[0]:
            end = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
            line = {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 3, "shrinkB": 0}
            axes.annotate("", end, (x, y), xycoords="figure pixels", textcoords="figure pixels", arrowprops=line)
