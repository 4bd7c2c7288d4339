"""Folders to records: pairing by file stem, strict, with a sentence for each file that has no partner."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bokehbench.data.decoding import MAP_SUFFIXES, PICTURE_SUFFIXES
from bokehbench.errors import check_options, within

#: With fewer training pictures than this, none is taken away for validation.
FEWEST_TO_HOLD_OUT = 10
#: Batch keys whose files are maps.
MAP_KEYS = ("disparity", "depth", "mask")


@dataclass(frozen=True)
class Record:
    """One picture on disk: ``files`` by batch key, ``focus`` and ``aperture`` where they are known."""

    name: str
    files: Mapping[str, Path]
    focus: float | None = None
    aperture: float | None = None

    def without(self, *keys: str) -> Record:
        """The record less the files of ``keys``."""
        return replace(self, files={key: path for key, path in self.files.items() if key not in keys})


@dataclass
class Listing:
    """Pictures of a folder by stem in natural order, and a sentence per stem that several files share."""

    files: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which 9 comes before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def stem_of(name: str) -> str:
    """``name`` less a picture's suffix, if it has one ("a.b" stays, "a.b.jpg" becomes "a.b")."""
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in PICTURE_SUFFIXES else name


def list_pictures(folder: Path, suffixes: tuple[str, ...] = PICTURE_SUFFIXES) -> Listing:
    """The picture files of ``folder``, not of its subfolders; suffixes in any case, hidden files left out."""
    listing = Listing()
    if not folder.is_dir():
        return listing
    paths = (p for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))
    for path in sorted(paths, key=lambda p: (natural(p.stem), p.suffix)):
        other = listing.files.setdefault(path.stem, path)
        if other is not path:
            listing.problems.append(f"{path}: {other.name} has the same stem: keep one of them.")
    return listing


def map_places(photos: Path, maps: Path) -> dict[Path, Path]:
    """The photos of a folder -> their maps in another: those that are there, else ``STEM.png``."""
    here = list_pictures(maps, MAP_SUFFIXES).files
    return {path: here.get(stem, maps / f"{stem}.png") for stem, path in list_pictures(photos).files.items()}


def pair(
    folders: Mapping[str, Path], keep: Callable[[str], bool] = lambda stem: True, strict: Sequence[str] = ("bokeh",)
) -> tuple[list[Record], list[str]]:
    """Records of all stems in ``folders["image"]`` that ``keep`` wants, and a sentence per problem.

    Every image needs a file of the same stem in every folder; a file without an image is a problem in the folders
    of ``strict`` keys only (there may be more depth maps than pictures). A stem with a problem gives no record.
    """
    listings = {
        key: list_pictures(folder, MAP_SUFFIXES if key in MAP_KEYS else PICTURE_SUFFIXES)
        for key, folder in folders.items()
    }
    problems = [problem for listing in listings.values() for problem in listing.problems]
    images = {stem: path for stem, path in listings["image"].files.items() if keep(stem)}
    records = []
    for stem, path in images.items():
        lacking = [key for key in folders if stem not in listings[key].files]
        problems += [f"{path}: no file of the same stem in {folders[key]}: add it, or remove both." for key in lacking]
        if not lacking:
            records.append(Record(stem, {key: listings[key].files[stem] for key in folders}))
    for key in set(strict) & set(folders):
        alone = [stem for stem in listings[key].files if keep(stem) and stem not in images]
        problems += [
            f"{listings[key].files[stem]}: no file of the same stem in {folders['image']}: add it, or remove this one."
            for stem in alone
        ]
    return records, problems


def seeded_split(records: Sequence[Record], fraction: float, seed: int) -> tuple[list[Record], list[Record]]:
    """(round(fraction * n) records, the rest), drawn by ``seed`` from the names, each part in its old order.

    Both parts get at least one record where there are two or more.
    """
    chosen = round(fraction * len(records))
    if len(records) > 1:
        chosen = min(max(chosen, 1), len(records) - 1)
    order = np.random.default_rng(seed).permutation(len(records))
    first = {records[i].name for i in order[:chosen]}
    return [r for r in records if r.name in first], [r for r in records if r.name not in first]


def hold_out(train: list[Record], fraction: float, seed: int) -> tuple[list[Record], list[Record], list[str]]:
    """(training, validation, notes): ``fraction`` of ``train`` drawn by ``seed``; all of it twice where it is small."""
    if len(train) < FEWEST_TO_HOLD_OUT or fraction == 0:
        reason = "val_fraction is 0" if fraction == 0 else f"fewer than {FEWEST_TO_HOLD_OUT} are here"
        return train, train, [f"validation uses the {len(train)} training pictures themselves, as {reason}."]
    held, rest = seeded_split(train, fraction, seed)
    return rest, held, []


def check_fractions(split_seed: int = 0, **options: float | None) -> None:
    """Raise :class:`BokehbenchError` for a seed below 0, or a share of pictures that is none (None = not given)."""
    checks = ((name, value, value is None or 0 <= value <= 1, "a number in [0, 1]") for name, value in options.items())
    check_options("--data.", within("split_seed", split_seed, 0), *checks)
