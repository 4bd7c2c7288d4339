"""Two folders of photos to one folder of EBB!'s layout, with a table of what was found and a sheet of the worst."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bokehbench.cluster.in_order import in_order
from bokehbench.data.ebb import FOLDERS, PAIRS_TABLE
from bokehbench.data.folders import natural, output_names
from bokehbench.data.image_io import read_rgb
from bokehbench.errors import BokehbenchError
from bokehbench.files import new_folder, write_text
from bokehbench.pictures import sheet
from bokehbench.preparation.pairs.geometry import opencv
from bokehbench.preparation.pairs.one_pair import Job, Outcome, Settings, make_pair
from bokehbench.tables import csv_text

#: With fewer pairs than this for each, another process does not pay.
PAIRS_PER_PROCESS = 3
SHEET = "worst_pairs.png"
#: Pairs on the sheet, and pixels of a picture there.
WORST, SHEET_WIDTH = 8, 480


def make_folder(
    root: Path,
    matched: Sequence[tuple[Path, Path]],
    settings: Settings,
    shares: tuple[float, float],
) -> tuple[list[Outcome], dict[str, int]]:
    """Make pairs of (narrow, wide) photos; ``root``, a new or empty folder, appears when the last one is done.

    ``shares`` go to ``test`` and ``val``. The work is done by the workers that are engaged. Returns what became of each
    pair, and how many pairs each split has.

    Raises:
        BokehbenchError: ``root`` has files, every pair was refused, or as of :func:`in_order`.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BokehbenchError(f"{root} is there already: give -o a new folder.")
    opencv()
    ordered = sorted(matched, key=lambda pair: natural(pair[0].stem))
    with new_folder(root) as draft:
        places = [draft / FOLDERS["image"], draft / FOLDERS["bokeh"]]
        jobs = []
        for (narrow, wide), stem in zip(ordered, output_names([pair[0] for pair in ordered]), strict=True):
            name = f"pair_{stem}" if stem.isdecimal() else stem  # a number is an id of EBB!'s own splits
            original, bokeh = (place / f"{name}{settings.suffix}" for place in places)
            jobs.append(Job(name, narrow, wide, (original, bokeh)))
        for place in places:
            place.mkdir()  # here, since workers look for it
        outcomes = list(in_order(partial(make_pair, settings=settings), jobs, "pairs", "pair", threads=1))
        good = [(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True) if outcome.refused is None]
        if not good:
            reasons = "".join(f"\n  {outcome.name}: {outcome.refused}" for outcome in outcomes[:20])
            raise BokehbenchError(f"No pair was made, every one was refused:{reasons}")
        splits = split_of([outcome.name for _, outcome in good], *shares)
        _write_sheet(draft / SHEET, [(*job.places, outcome) for job, outcome in good])
        for job, outcome in good:
            for place in job.places:
                there = draft / splits[outcome.name] / place.parent.name / place.name
                there.parent.mkdir(parents=True, exist_ok=True)
                os.replace(place, there)
        for place in places:
            place.rmdir()
        write_text(draft / PAIRS_TABLE, _table(outcomes, splits))
    return outcomes, {split: list(splits.values()).count(split) for split in ("train", "val", "test")}


def split_of(names: Sequence[str], test: float, val: float) -> dict[str, str]:
    """The split of each name: the last ones are the test split, those before them validation, as with EBB!'s ids.

    So photos of one scene, which follow one another, stay together but where two splits meet. A share above 0 is one
    pair at least, as long as one is left to train on.
    """
    counts, free = [], len(names) - 1
    for share in (test, val):
        counts.append(min(free, max(1, round(share * len(names)))) if share > 0 else 0)
        free -= counts[-1]
    train = len(names) - sum(counts)
    words = ["train"] * train + ["val"] * counts[1] + ["test"] * counts[0]
    return dict(zip(names, words, strict=True))


def _table(outcomes: Sequence[Outcome], splits: dict[str, str]) -> str:
    keys = list(dict.fromkeys(key for outcome in outcomes for key in outcome.measured))
    facts = list(dict.fromkeys(key for outcome in outcomes for key in outcome.facts))
    rows = []
    for each in outcomes:
        verdict = "good" if each.refused is None else f"refused: {each.refused}"
        numbers = [None if (value := each.measured.get(key)) is None else round(value, 4) for key in keys]
        rows.append(
            [each.name, splits.get(each.name), verdict, each.narrow, each.wide, *numbers, *map(each.facts.get, facts)]
        )
    return csv_text(["name", "split", "verdict", "narrow", "wide", *keys, *facts], rows)


def _write_sheet(path: Path, pairs: Sequence[tuple[Path, Path, Outcome]]) -> None:
    """The pairs whose subject fits worst: both pictures, and how they differ."""
    worst = sorted(pairs, key=lambda pair: -pair[2].measured["residual_px"])[:WORST]
    titles = [
        [each.name] + [f"{key} {each.measured[key]:.2f}" for key in ("residual_px", "shift_px")] for *_, each in worst
    ]
    shown = [(read_rgb(original), read_rgb(bokeh)) for original, bokeh, _ in worst]
    rows = list(zip(*((ours, theirs, (ours - theirs).abs()) for ours, theirs in shown), strict=True))
    sheet(path, titles, rows, SHEET_WIDTH)
