"""Folders to records: pairing by file stem, strict, with a sentence for each file that has no partner."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from bokehbench.counted import some
from bokehbench.data.decoding import MAP_SUFFIXES, PICTURE_SUFFIXES
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.files import read_text

#: With fewer training pictures than this, none is taken away for validation.
FEWEST_TO_HOLD_OUT = 10
#: Batch keys whose files are maps.
MAP_KEYS = ("disparity", "depth", "mask")
#: What file managers and archives leave in folders, in lower case: neither read nor named, as hidden files are.
LEFT_BEHIND = ("thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "__macosx")
#: Photos of iPhones, which few programs read.
HEIC = (".heic", ".heif")
#: Suffixes of lists and tables.
LISTS = (".txt", ".csv", ".tsv")


@dataclass(frozen=True)
class Record:
    """One picture on disk: ``files`` by batch key; ``focus``, ``aperture`` and ``f_number`` where they are known."""

    name: str
    files: Mapping[str, Path]
    focus: float | None = None
    aperture: float | None = None
    f_number: float | None = None

    def without(self, *keys: str) -> Self:
        """The record less the files of ``keys``."""
        return replace(self, files={key: path for key, path in self.files.items() if key not in keys})


@dataclass
class Listing:
    """Pictures of a folder by stem in natural order, a sentence per stem that several files share, and a note on the
    files that were left out, if there are any."""

    files: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which 9 comes before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def normal(name: str) -> str:
    """``name`` with one code for each letter: file systems and archives write accents in two ways (NFC and NFD)."""
    return unicodedata.normalize("NFC", name)


def stem_of(name: str) -> str:
    """``name`` less a picture's suffix, if it has one ("a.b" stays, "a.b.jpg" becomes "a.b"), as listings have it."""
    suffix = Path(name).suffix
    return normal(name.removesuffix(suffix) if suffix.lower() in PICTURE_SUFFIXES else name)


def _shown(path: Path) -> bool:
    return not path.name.startswith(".") and path.name.lower() not in LEFT_BEHIND


def files_in(folder: Path, suffixes: Sequence[str] = PICTURE_SUFFIXES) -> tuple[list[Path], list[str]]:
    """The files of ``folder``, not of its subfolders, that are read, in natural order; a note that names the others.

    Read are those with one of ``suffixes``, in any case. Hidden files (``._a.jpg``) and :data:`LEFT_BEHIND` are neither
    read nor named.

    Raises:
        BokehbenchError: the folder may not be read.
    """
    try:
        seen = [path for path in folder.iterdir() if _shown(path)]
    except OSError as error:
        raise BokehbenchError(
            f"{folder} cannot be listed ({error.strerror}): give a folder that may be read."
        ) from error
    alike = [path for path in seen if path.suffix.lower() in suffixes]
    read = [path for path in alike if not path.is_dir()]
    others = sorted(path.name for path in seen if (path in alike) == path.is_dir())
    note = f"{folder}: not read, of other kinds than {', '.join(suffixes)}: {some(others)}."
    if any(name.lower().endswith(HEIC) for name in others):
        note += " `bokehbench data import-phone` reads HEIC; or export them as JPEG."
    return sorted(read, key=lambda path: (natural(normal(path.stem)), path.suffix)), [note] if others else []


def list_pictures(folder: Path, suffixes: Sequence[str] = PICTURE_SUFFIXES) -> Listing:
    """The picture files of ``folder`` as :func:`files_in` finds them, by stem; none where there is no such folder."""
    listing = Listing()
    if not folder.is_dir():
        return listing
    paths, listing.notes = files_in(folder, suffixes)
    for path in paths:
        other = listing.files.setdefault(normal(path.stem), path)
        if other is not path:
            listing.problems.append(f"{path}: {other.name} has the same stem: keep one of them.")
    return listing


def one_map(maps: Path, photo: Path) -> Path:
    """The map of a photo in a folder of them, by its stem; BokehbenchError where there is none, or more than one."""
    paths, notes = files_in(maps, MAP_SUFFIXES)
    found = [path for path in paths if normal(path.stem) == normal(photo.stem) and path.resolve() != photo.resolve()]
    if not found:
        more = "".join(f" {note}" for note in notes)
        raise BokehbenchError(f"{maps} has no disparity map named like {photo.name}: add {photo.stem}.png.{more}")
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise BokehbenchError(f"{maps} has several maps for {photo.name}, {names}: keep one of them.")
    return found[0]


def output_names(photos: Sequence[Path]) -> list[str]:
    """A stem for each photo's output, its own where it can; no two are the same, even without regard to case."""
    stems = [normal(path.stem).casefold() for path in photos]
    taken = {stem for stem, times in Counter(stems).items() if times == 1}
    names = []
    for path, stem in zip(photos, stems, strict=True):
        name = path.stem
        if stem not in taken:
            name = path.name.replace(".", "_")
            while normal(name).casefold() in taken:
                name += "_"
            taken.add(normal(name).casefold())
        names.append(name)
    return names


def not_read(root: Path, read: Iterable[Path]) -> list[str]:
    """A note on the subfolders, lists and tables of ``root`` that are not among ``read``, if there are any."""
    known = {path.relative_to(root).parts[0] for path in read if path != root and path.is_relative_to(root)}
    paths = [path for path in root.iterdir() if _shown(path) and path.name not in known]
    names = [f"{path.name}/" for path in paths if path.is_dir()]
    names += [path.name for path in paths if path.suffix.lower() in LISTS and path.is_file()]
    there = ", ".join(sorted(name for name in known if (root / name).exists()))
    return [f"{root}: not read: {some(sorted(names))}; what is read there is {there}."] if names else []


def map_places(photos: Path, maps: Path) -> dict[Path, Path]:
    """The photos of a folder -> their maps in another: those that are there, else ``STEM.png``."""
    here = list_pictures(maps, MAP_SUFFIXES).files
    return {path: here.get(stem, maps / f"{stem}.png") for stem, path in list_pictures(photos).files.items()}


def pair(
    folders: Mapping[str, Path],
    keep: Callable[[str], bool] = lambda stem: True,
    strict: Sequence[str] = ("bokeh",),
    notes: list[str] | None = None,
    optional: Sequence[str] = (),
) -> tuple[list[Record], list[str]]:
    """Records of all stems in ``folders["image"]`` that ``keep`` wants, and a sentence per problem; adds to ``notes``.

    Every image needs a file of the same stem in every folder, but those of ``optional`` keys; a file without an image
    is a problem in the folders of ``strict`` keys only (there may be more depth maps than pictures). A stem with a
    problem gives no record.
    """
    listings = {
        key: list_pictures(folder, MAP_SUFFIXES if key in MAP_KEYS else PICTURE_SUFFIXES)
        for key, folder in folders.items()
    }
    problems = [problem for listing in listings.values() for problem in listing.problems]
    if notes is not None:
        notes += [note for listing in listings.values() for note in listing.notes if note not in notes]
    images = {stem: path for stem, path in listings["image"].files.items() if keep(stem)}
    records = []
    for stem, path in images.items():
        files = {key: listing.files[stem] for key, listing in listings.items() if stem in listing.files}
        lacking = [key for key in folders if key not in files and key not in optional]
        problems += [f"{path}: no file of the same stem in {folders[key]}: add it, or remove both." for key in lacking]
        if not lacking:
            records.append(Record(stem, files))
    for key in set(strict) & set(folders):
        alone = [stem for stem in listings[key].files if keep(stem) and stem not in images]
        problems += [
            f"{listings[key].files[stem]}: no file of the same stem in {folders['image']}: add it, or remove this one."
            for stem in alone
        ]
    return records, problems


def in_list(path: Path, records: list[Record], problems: list[str]) -> list[Record] | None:
    """The records that a list names, None where there is no such list; adds to ``problems``."""
    if not path.is_file():
        return None
    by_name = {record.name: record for record in records}
    lines = (line.strip() for line in read_text(path).splitlines())
    names = [stem_of(line) for line in lines if line and not line.startswith("#")]
    problems += [f"{path}: there is no picture '{n}' with depth: correct the list." for n in names if n not in by_name]
    return [by_name[n] for n in dict.fromkeys(names) if n in by_name]


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
        return train, train, [f"validation is the training pictures themselves ({len(train)}), as {reason}."]
    held, rest = seeded_split(train, fraction, seed)
    return rest, held, []


def check_fractions(split_seed: int = 0, **options: float | None) -> None:
    """Raise :class:`BokehbenchError` for a seed below 0, or a share of pictures that is none (None = not given)."""
    checks = ((name, value, value is None or 0 <= value <= 1, "a number in [0, 1]") for name, value in options.items())
    check_options("--data.", within("split_seed", split_seed, 0), *checks)
