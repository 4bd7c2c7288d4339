"""A folder of phone photos to a data set in the layout of :class:`bokehbench.data.IPhoneDepth`."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from bokehbench.counted import some
from bokehbench.data.decoding import PICTURE_SUFFIXES
from bokehbench.data.folders import files_in, normal
from bokehbench.errors import BokehbenchError
from bokehbench.files import locked, read_text, write_text
from bokehbench.preparation.phone.depth import NoDepth
from bokehbench.preparation.phone.one_shot import HEADS, Row, Settings, digest, import_shot
from bokehbench.preparation.phone.phone_file import HEIC_SUFFIXES, PhoneFile, read_header, signature
from bokehbench.preparation.phone.shots import Shot, candidates, find_shots, groups
from bokehbench.preparation.phone.split_lists import TEST_SHARE, extend_lists
from bokehbench.tables import csv_text

#: Photos after which the table is written, so that a killed process loses no more.
SAVE_EVERY = 20


@dataclass
class Report:
    """What became of a folder: rows of the table of before and of now, and a sentence for each file of these kinds."""

    before: list[Row] = field(default_factory=list)
    imported: list[Row] = field(default_factory=list)
    #: Photos of the whole data set in its lists, for training and for the test.
    split: tuple[int, int] = (0, 0)
    left_out: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_folder(
    folder: Path, settings: Settings, test_share: float = TEST_SHARE, seed: int = 0, workers: int = 2
) -> Report:
    """Import the photos of ``folder``, not of its subfolders; what the data set holds stays, and is not read again.

    Args:
        folder: of photos and their originals.
        settings: where and how.
        test_share, seed: of the division into train and test.
        workers: threads.

    Raises:
        BokehbenchError: a folder that cannot be read or written, or one of another data set.
    """
    paths, notes = files_in(folder, (*PICTURE_SUFFIXES, *HEIC_SUFFIXES))
    if below := sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")):
        notes.append(f"{folder}: not read, subfolders: {some(below)}; import each of them into the same --output.")
    root, busy = settings.root, f"{settings.root}: another import writes there: wait until it has ended."
    with locked(root, busy), ThreadPoolExecutor(workers) as pool:
        report = Report(_rows(root), notes=notes)
        _save(root, report)  # by which the next run knows the folder, however this one ends
        try:
            files = list(_each(pool, read_header, paths, "headers", report))
            by_path, found = {each.path: each for each in files}, candidates(files)
            compared = [by_path[path] for path in {*found, *(each.path for some in found.values() for each in some)}]
            made = _each(pool, signature, compared, "comparing", report)
            signatures = {file.path: numbers for file, numbers in zip(compared, made, strict=True)}
            _import(pool, find_shots(files, signatures), settings, report)
        finally:
            pool.shutdown(cancel_futures=True)
            _save(root, report)
        report.split = _divide(root, files, report, test_share, seed)
    return report


def _rows(root: Path) -> list[Row]:
    """Of the table, where there is one; BokehbenchError for one with other columns, or pictures that none knows."""
    path = root / "import.csv"
    if not path.is_file():
        if any((root / "images").glob("*")):
            raise BokehbenchError(f"{root} has images that were not imported from phones: choose another --output.")
        return []
    reader = csv.DictReader(read_text(path).splitlines())
    if tuple(reader.fieldnames or ()) != HEADS:
        raise BokehbenchError(f"{path} has other columns than this version writes: choose another --output.")
    return list(reader)


def _save(root: Path, report: Report) -> None:
    rows = ([row.get(head) for head in HEADS] for row in (*report.before, *report.imported))
    write_text(root / "import.csv", csv_text(HEADS, rows))


def _each(
    pool: ThreadPoolExecutor, work: Callable[[Any], Any], things: Sequence[Any], what: str, report: Report
) -> Iterator[Any]:
    """What ``work`` makes of the things, in order, under a bar; a sentence in the report where it raises one."""

    def tried(thing: Any) -> Any:
        try:
            return work(thing)
        except BokehbenchError as error:
            return error

    for found in tqdm(pool.map(tried, things), desc=what, total=len(things), unit="photo", delay=2):
        if isinstance(found, BokehbenchError):
            (report.left_out if isinstance(found, NoDepth) else report.failed).append(str(found))
        else:
            yield found


def _import(pool: ThreadPoolExecutor, shots: Iterable[Shot], settings: Settings, report: Report) -> None:
    """Import the shots that the table does not have; a photo has its file's name, with a number where that is taken."""
    known = {row["source_sha256"] for row in report.before}
    taken, named, met = {str(row["name"]).casefold() for row in report.before}, [], set[str]()
    for shot in shots:
        digests = {digest(file.path) for file in shot}
        if digests & met:
            report.left_out.append(f"{shot[0].path}: is a copy of another file of the folder.")
        elif known.isdisjoint(digests):
            met |= digests
            name = stem = re.sub(r"[^\w-]+", "_", normal(shot[0].path.stem)).strip("-_") or "photo"
            number = 1
            while name.casefold() in taken:
                number += 1
                name = f"{stem}_{number}"
            taken.add(name.casefold())
            named.append((shot, name))

    for row in _each(pool, lambda each: import_shot(each[0], each[1], settings), named, "photos", report):
        report.imported.append(row)
        if len(report.imported) % SAVE_EVERY == 0:
            _save(settings.root, report)


def _divide(root: Path, files: Sequence[PhoneFile], report: Report, share: float, seed: int) -> tuple[int, int]:
    """Extend the lists by the photos that the table has and they do not."""
    contents, rows = {}, {str(row["name"]): row["source_sha256"] for row in (*report.before, *report.imported)}
    for name in rows:
        with suppress(BokehbenchError):  # a photo that somebody has removed again
            contents[name] = signature(read_header(root / "images" / f"{name}.jpg"))
    if not contents:
        return 0, 0
    by_digest = {digest(file.path): file for file in files}
    sources = {name: by_digest[str(found)] for name, found in rows.items() if found in by_digest}
    return extend_lists(root, groups(list(contents), np.stack(list(contents.values())), sources), share, seed)
