"""EBB!, "Everything is Better with Bokeh!" (Ignatov et al. 2020, CVPR workshops): pairs taken at f/16 and f/1.8."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bokehbench.counted import counted, some
from bokehbench.data.base import BokehDataModule
from bokehbench.data.focus import FocusRule
from bokehbench.data.folders import Record, list_pictures, map_places, not_read, pair
from bokehbench.data.records import RecordSet
from bokehbench.data.splits import read_ids
from bokehbench.errors import BokehbenchError

#: Pixels in a picture 1024 high, at a disparity difference of 1. `bokehbench data fit-aperture` found 25.9 on training
#: ids 2977-2979 at height 512; the error is flat around it (within 0.7 % from 22 to 28), single pictures want 11 to 33.
APERTURE_AT_1024 = 26.0
#: Folder names by batch key; the last two are optional.
FOLDERS = {"image": "original", "bokeh": "bokeh", "disparity": "original_depth", "mask": "focus_mask"}
#: What `bokehbench data make-pairs` says of each pair.
PAIRS_TABLE = "pairs.csv"
CHALLENGE = {"test": "TestBokehFree", "validation": "ValidationBokehFree"}
LAYOUT = (
    "EBB! is expected as ROOT/Training/original/ID.jpg and ROOT/Training/bokeh/ID.jpg (or, as PyNET's code has it, "
    "ROOT/train and ROOT/test, maybe ROOT/val, with original/ and bokeh/ in each), optionally with "
    "original_depth/ID.png (disparity, bright = near, full or half size) and focus_mask/ID.png beside them, and "
    "ROOT/TestBokehFree or ROOT/ValidationBokehFree for predict. It is never downloaded for you: its authors give it "
    "out on the project page of PyNET-Bokeh (Ignatov et al.); treat it as non-commercial research data that may not be "
    "passed on."
)


class EBB(BokehDataModule):
    """EBB! in its public layout or PyNET's; a partial copy works and says how much is there.

    Train = ids 0..4399, of which 4350..4399 are held out for validation while fitting (ours); test = Val294, ids
    4400..4693; in PyNET's layout the folders decide. Focus and aperture are not published: see
    :mod:`bokehbench.data.focus` for the estimate.

    Args:
        root: the folder that has ``Training`` (or ``train`` and ``test``).
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        focus: disparity in focus for all pictures; None = estimate it per picture.
        aperture_at_1024: blur radius in pixels at a disparity difference of 1 in a picture 1024 high; scales with the
            height.
        hold_out: keep ids 4350..4399 out of training, for validation; False = train on all 4400, validate on the last.
        challenge: whose pictures ``predict`` takes: TestBokehFree or ValidationBokehFree; where neither folder is
            there, the inputs of the test split.
    """

    layout_rank = 3

    def __init__(
        self,
        root: str | Path | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
        focus: float | None = None,
        aperture_at_1024: float = APERTURE_AT_1024,
        hold_out: bool = True,
        challenge: Literal["test", "validation"] = "test",
    ) -> None:
        super().__init__(root, num_workers, sampling_seed)
        self.rule = FocusRule(focus, aperture_at_1024)
        self.hold_out, self.challenge = hold_out, challenge
        #: "val294", or "folder" where PyNET's layout decides: what scores on the test split are scores of.
        self.test_split = "val294"

    def build(self) -> None:
        """Find the layout and the pictures of each split; an error says how people obtain the data."""
        root = self.folder(LAYOUT)
        public, splits = self._layout(root)
        val = None
        train_ids, val294, held_out = (read_ids(f"ebb_{name}") for name in ("train", "val294", "held_out"))
        if public is not None:
            train, train_problems = self._pair(public, lambda stem: stem in train_ids)
            test, test_problems = self._pair(public, lambda stem: stem in val294)
            folder = public / FOLDERS["image"]
            if strangers := [stem for stem in list_pictures(folder).files if stem not in train_ids | val294]:
                which = f"{folder}: {counted(len(strangers), 'picture')} not used, whose names are no ids of a split"
                self.notes.append(f"{which}, 0 to 4693: {some(strangers)}.")
        elif splits:
            train, train_problems = self._pair(root / "train")
            test, test_problems = self._pair(root / "test")
            val = self._pair(root / "val") if root / "val" in splits else None
            self.test_split = "val294" if test and {r.name for r in test} <= val294 else "folder"
        else:
            raise BokehbenchError(f"{root} does not have the layout of EBB!. {LAYOUT}")

        if root != public:
            used = splits if public is None else [public]
            self.notes += not_read(root, [*used, root / PAIRS_TABLE, *(root / name for name in CHALLENGE.values())])
        if self.test_split == "val294":
            self.count("test", len(test), len(val294))
        else:
            there = counted(len(test), "picture")
            self.notes.append(f"the test split is the test folder ({there}), not the published Val294.")
        if val is not None:
            self.train_set = RecordSet(train, self.rule, train_problems)
            self.val_set = RecordSet(val[0], self.rule, val[1])
        else:
            kept = self._validation(train, held_out, train_problems)
        if public is not None:
            self.count("train", kept, len(train_ids) - len(held_out) * self.hold_out)
        self.test_set = RecordSet(test, self.rule, test_problems)
        self.predict_set = self._challenge(root, test, test_problems)

    @staticmethod
    def _layout(root: Path) -> tuple[Path | None, list[Path]]:
        """The folder of the public layout, None where there is none; the folders of PyNET's."""
        public = next((f for f in (root / "Training", root) if (f / "original").is_dir()), None)
        return public, [f for split in ("train", "val", "test") if (f := root / split) and (f / "original").is_dir()]

    def map_places(self) -> dict[Path, Path]:
        """As the base: ``original_depth`` beside ``original``."""
        public, splits = self._layout(self.folder(LAYOUT))
        folders = splits if public is None else [public]
        return {
            photo: place
            for folder in folders
            for photo, place in map_places(folder / FOLDERS["image"], folder / FOLDERS["disparity"]).items()
        }

    def _pair(self, folder: Path, keep: Callable[[str], bool] = lambda stem: True) -> tuple[list[Record], list[str]]:
        places = {key: folder / name for key, name in FOLDERS.items()}
        optional = {key for key in ("disparity", "mask") if not places[key].is_dir()}
        self.notes += [note for note in not_read(folder, places.values()) if note not in self.notes]
        return pair({key: place for key, place in places.items() if key not in optional}, keep, notes=self.notes)

    def _validation(self, train: list[Record], held_out: frozenset[str], problems: list[str]) -> int:
        held = [r for r in train if r.name in held_out]
        rest = [r for r in train if r.name not in held_out]
        if not held or not rest or not self.hold_out:
            held, rest = train[-50:], train
            if train:
                self.notes.append(
                    f"validation uses the last {counted(len(held), 'training picture')}, "
                    + ("as hold_out is off." if not self.hold_out else "as this copy lacks the held-out ids 4350-4399.")
                )
        self.train_set = RecordSet(rest, self.rule, problems)
        self.val_set = RecordSet(held, self.rule, problems)
        return len(rest)

    def _challenge(self, root: Path, test: list[Record], problems: list[str]) -> RecordSet:
        if not any((root / name).is_dir() for name in CHALLENGE.values()):
            return RecordSet([record.without("bokeh") for record in test], self.rule, problems)
        listing = list_pictures(root / CHALLENGE[self.challenge])
        self.notes += listing.notes
        records = [Record(stem, {"image": path}) for stem, path in listing.files.items()]
        return RecordSet(records, self.rule, listing.problems)
