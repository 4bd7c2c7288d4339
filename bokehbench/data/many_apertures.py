"""What data sets share in which each photo has targets at several f-numbers."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from bokehbench.data.base import BokehDataModule
from bokehbench.data.focus import FocusRule
from bokehbench.data.folders import Record, check_fractions, hold_out, map_places, not_read
from bokehbench.data.records import RecordSet
from bokehbench.errors import BokehbenchError, check_options
from bokehbench.f_numbers import written


class ManyApertures(BokehDataModule):
    """Base of data sets of scenes: one photo, targets at several f-numbers; an item is one of these targets.

    The targets of a scene are always in one and the same split, and a photo that is in two splits is a problem.

    Args:
        root: the folder that has those of the splits.
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        f_numbers: only targets with one of these f-numbers; None = all.
        focus: disparity in focus for all pictures; None = estimated from disparity and mask, where they are there.
        aperture_at_1024: blur radius in pixels at a disparity difference of 1 in a picture 1024 high, for the widest
            targets of the set (:attr:`widest`); the others get it in the ratio of the f-numbers. None = left out.
        val_fraction: where no split is for validation, the part of the training scenes held out (of 10 or more).
        split_seed: seed of this division.
    """

    #: What is expected, for errors.
    layout: ClassVar[str]
    #: The f-number that ``aperture_at_1024`` stands for.
    widest: ClassVar[float] = 2.0
    #: Split -> its folder.
    folders: ClassVar[Mapping[str, str]] = {"train": "train", "val": "val", "test": "test"}
    #: Folder of the photos in each split.
    photos: ClassVar[str] = "input"
    #: Batch key of a map -> names of its folder in each split, which is optional; the first of them is the usual one.
    maps: ClassVar[Mapping[str, tuple[str, ...]]] = {"disparity": ("disparity",), "mask": ("mask",)}

    def __init__(
        self,
        root: str | Path | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
        f_numbers: list[float] | None = None,
        focus: float | None = None,
        aperture_at_1024: float | None = None,
        val_fraction: float = 0.1,
        split_seed: int = 0,
    ) -> None:
        super().__init__(root, num_workers, sampling_seed)
        check_fractions(split_seed, val_fraction=val_fraction)
        right = f_numbers is None or (f_numbers and all(0.5 <= each <= 256 for each in f_numbers))
        check_options("--data.", ("f_numbers", f_numbers, bool(right), "f-numbers from 0.5 to 256, such as [2.0, 2.8]"))
        self.f_numbers = None if f_numbers is None else sorted({float(each) for each in f_numbers})
        self._options["f_numbers"] = self.f_numbers
        self.rule = FocusRule(focus, aperture_at_1024, self.widest)
        self.val_fraction, self.split_seed = val_fraction, split_seed

    def read_split(self, folder: Path) -> tuple[list[Record], list[str]]:
        """A record for each target in the folder of a split, and a sentence for each problem.

        Records of one scene have the same ``files["image"]``, and lack ``bokeh`` where the split has no targets.
        """
        raise NotImplementedError

    def places(self, folder: Path) -> dict[str, Path]:
        """The folders of photos and maps that are there, of the split in ``folder``, by batch key."""
        found = {key: next((f for n in names if (f := folder / n).is_dir()), None) for key, names in self.maps.items()}
        return {"image": folder / self.photos} | {key: place for key, place in found.items() if place is not None}

    def build(self) -> None:
        """Read every split that is there; see :meth:`BokehDataModule.build`."""
        splits = self._splits()
        assert self.root is not None
        self.notes += not_read(self.root, splits.values())
        read = {split: self.read_split(folder) for split, folder in splits.items()}
        shared = _in_two_splits({split: [r.files["image"] for r in records] for split, (records, _) in read.items()})
        wanted = self._wanted({split: records for split, (records, _) in read.items()})
        found = {split: (wanted.get(split, []), read.get(split, ([], []))[1] + shared) for split in self.folders}
        (train, wrong), (val, wrong_too) = found["train"], found["val"]
        if train and not val:
            train, val = self._divided(train)
            wrong_too = wrong + wrong_too
        self.train_set = self._with_targets(train, wrong)
        self.val_set = self._with_targets(val, wrong_too)
        self.test_set = self._with_targets(*found["test"])
        # A challenge gives out the inputs of its validation first
        records, problems = found["test"] if found["test"][0] else found["val"]
        self.predict_set = RecordSet([record.without("bokeh") for record in records], self.rule, problems)

    def map_places(self) -> dict[Path, Path]:
        """As the base: a folder of disparity maps beside the photos of each split."""
        usual = self.maps["disparity"][0]
        return {
            photo: place
            for folder in self._splits().values()
            for photo, place in map_places(
                folder / self.photos, self.places(folder).get("disparity", folder / usual)
            ).items()
        }

    def _splits(self) -> dict[str, Path]:
        """Split -> its folder, of those that are there; BokehbenchError where none is."""
        root = self.folder(self.layout)
        found = {split: root / name for split, name in self.folders.items() if (root / name / self.photos).is_dir()}
        if not found:
            raise BokehbenchError(f"{root} does not have the layout of {type(self).__name__}. {self.layout}")
        return found

    def _wanted(self, splits: Mapping[str, list[Record]]) -> dict[str, list[Record]]:
        """The records of the f-numbers that were asked for; BokehbenchError where there are none at all."""
        if self.f_numbers is None:
            return dict(splits)
        kept = {split: [r for r in records if r.f_number in self.f_numbers] for split, records in splits.items()}
        there = {r.f_number for records in splits.values() for r in records if r.f_number is not None}
        if there and not any(kept.values()):
            asked, known = (", ".join(map(written, each)) for each in (self.f_numbers, sorted(there)))
            raise BokehbenchError(f"--data.f_numbers {asked}: {self.root} has no such targets; give some of {known}.")
        return kept

    def _divided(self, train: list[Record]) -> tuple[list[Record], list[Record]]:
        """Training and validation, by scene."""
        scenes = {record.files["image"]: record for record in train}
        *parts, notes = hold_out(list(scenes.values()), self.val_fraction, self.split_seed)
        self.notes += [note.replace("pictures", "scenes") for note in notes]
        rest, held = ({record.files["image"] for record in part} for part in parts)
        return [r for r in train if r.files["image"] in rest], [r for r in train if r.files["image"] in held]

    def _with_targets(self, records: Sequence[Record], problems: Sequence[str]) -> RecordSet | None:
        """A split that is scored or trained on; None where it has photos and no targets."""
        if records and not any("bokeh" in record.files for record in records):
            return None
        return RecordSet(records, self.rule, problems)


def _in_two_splits(photos: Mapping[str, Sequence[Path]]) -> list[str]:
    """A sentence per photo that two splits have, by its bytes: under one name or two, as a copy or as a link."""
    by_size: dict[int, dict[Path, str]] = defaultdict(dict)
    for split, paths in photos.items():
        for path in paths:
            if path.is_file() and (size := path.stat().st_size):
                by_size[size][path] = split
    problems = []
    for alike in by_size.values():
        seen: dict[bytes, Path] = {}
        for path, split in alike.items() if len(set(alike.values())) > 1 else ():
            other = seen.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
            if alike[other] != split:
                problems.append(f"{path}: the same photo as {other}, of another split: keep the scene in one of them.")
    return problems
