"""Which photo at a small aperture belongs to which at a large one: by name, by time, or by what they show."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from bokehbench.data.decoding import open_header, orientation, readable, upright
from bokehbench.data.folders import normal
from bokehbench.errors import BokehbenchError
from bokehbench.preparation.pairs.facts import read_facts

#: Of a name: what tells the two apertures apart, such as the ``_f1.8`` of ``0001_f1.8.jpg``.
F_NUMBER = re.compile(r"[ _-]*f[ _-]?\d+([._]\d+)?$", re.IGNORECASE)
#: Seconds between the two photos of a pair, at most.
LONGEST_GAP = 60.0
#: Height and width at which photos are compared, and the correlation that two of one view have at least.
THUMBNAIL, LEAST_ALIKE = (48, 64), 0.7
#: A way fits where it finds a partner for this share of the photos of the smaller folder.
ENOUGH = 0.5
Photos = Sequence[Path]
#: Pairs, and for photos that cannot have a partner why.
Found = tuple[list[tuple[Path, Path]], dict[Path, str]]


class Matched(NamedTuple):
    """Pairs (narrow, wide); a sentence for each photo left over; and how they were found."""

    pairs: list[tuple[Path, Path]]
    left_over: list[str]
    way: str


def match_photos(narrow: Photos, wide: Photos, way: str | None = None) -> Matched:
    """Find the photos that belong together.

    Args:
        narrow, wide: the photos of either folder.
        way: one of :data:`WAYS`; None: the first that fits, else the last.

    Raises:
        BokehbenchError: no two belong together.
    """
    for tried in WAYS if way is None else (way,):
        found, reasons = WAYS[tried](narrow, wide)
        if len(found) >= ENOUGH * min(len(narrow), len(wide)):
            break
    if not found:
        raise BokehbenchError(
            f"No photo of {narrow[0].parent} has a partner in {wide[0].parent} by {tried}: give another --match, of "
            f"{', '.join(WAYS)}."
        )
    used = {path for pair in found for path in pair}
    alone = [path for path in (*narrow, *wide) if path not in used]
    return Matched(
        found, [f"{path}: left over, {reasons.get(path, f'no partner by {tried}')}." for path in alone], tried
    )


def _by_name(narrow: Photos, wide: Photos) -> Found:
    names = [{path: F_NUMBER.sub("", normal(path.stem)).casefold() for path in each} for each in (narrow, wide)]
    times = [Counter(each.values()) for each in names]
    theirs = {name: path for path, name in names[1].items()}
    found = [(path, theirs[name]) for path, name in names[0].items() if times[0][name] == times[1][name] == 1]
    several = {path: name for each in names for path, name in each.items() if max(t[name] for t in times) > 1}
    return found, {
        path: f"more than one photo of a folder is '{name}' but for the f-number" for path, name in several.items()
    }


def _by_time(narrow: Photos, wide: Photos) -> Found:
    facts, reasons = _read(read_facts, (*narrow, *wide), "capture times")
    reasons |= {path: "its EXIF has no capture time" for path, each in facts.items() if each.time is None}
    ours, theirs = ([path for path in each if path not in reasons] for each in (narrow, wide))
    times = [np.array([facts[path].time for path in each], float) for each in (ours, theirs)]
    return _assigned(ours, theirs, np.abs(times[0][:, None] - times[1]), LONGEST_GAP), reasons


def _by_content(narrow: Photos, wide: Photos) -> Found:
    seen, reasons = _read(_thumbnail, (*narrow, *wide), "comparing photos")
    ours, theirs = ([path for path in each if path in seen] for each in (narrow, wide))
    length = THUMBNAIL[0] * THUMBNAIL[1]
    pictures = [np.array([seen[path] for path in each], float).reshape(-1, length) for each in (ours, theirs)]
    return _assigned(ours, theirs, 1 - pictures[0] @ pictures[1].T, 1 - LEAST_ALIKE), reasons


def _read(read: Callable[[Path], Any], photos: Photos, what: str) -> tuple[dict[Path, Any], dict[Path, str]]:
    """What ``read`` finds in each photo, and for the others why it cannot."""
    found, reasons = {}, {}
    for path in tqdm(photos, desc=what, unit="photo", delay=2, leave=False):
        try:
            found[path] = read(path)
        except BokehbenchError as error:
            reasons[path] = str(error).rstrip(".")
    return found, reasons


def _assigned(ours: list[Path], theirs: list[Path], costs: np.ndarray, most: float) -> list[tuple[Path, Path]]:
    """As many pairs as there are of a cost up to ``most``, with the least sum of costs."""
    from scipy.optimize import linear_sum_assignment

    bounded = np.where(costs <= most, costs, 1e3 * most * (1 + len(ours)))
    chosen = zip(*linear_sum_assignment(bounded), strict=True)
    return [(ours[i], theirs[j]) for i, j in chosen if costs[i, j] <= most]


def _thumbnail(path: Path) -> np.ndarray:
    """A photo as a few numbers of mean 0 and length 1, in which the blur of a large aperture hardly shows."""
    with readable(path), open_header(path) as image:
        image.draft("RGB", (8 * THUMBNAIL[1], 8 * THUMBNAIL[0]))
        grey = image if image.mode.startswith(("I", "F")) else image.convert("L")
        pixels = Image.fromarray(np.ascontiguousarray(upright(np.asarray(grey, np.float32), orientation(image))))
    values = np.asarray(pixels.resize(THUMBNAIL[::-1], Image.Resampling.BOX)).ravel()
    values = values - values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-6)


WAYS: dict[str, Callable[[Photos, Photos], Found]] = {"name": _by_name, "time": _by_time, "content": _by_content}
