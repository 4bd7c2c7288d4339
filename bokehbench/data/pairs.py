"""Any folders of input and target pictures."""

from pathlib import Path

from bokehbench.data.base import BokehDataModule
from bokehbench.data.focus import FocusRule
from bokehbench.data.focus_table import USUAL_NAME, FocusTable
from bokehbench.data.folders import Record, check_fractions, hold_out, map_places, not_read, pair, seeded_split
from bokehbench.data.records import RecordSet
from bokehbench.errors import BokehbenchError

MASK_FOLDERS = ("mask", "focus_mask", "focal")
DISPARITY_FOLDERS = ("disparity",)
LAYOUT = (
    "Pairs are expected as ROOT/input/NAME.jpg and ROOT/target/NAME.jpg (other folder names: --data.input, "
    "--data.target), or the same below ROOT/train and ROOT/test; optionally with disparity/NAME.png (bright = near), "
    "mask/NAME.png, and a table focus_aperture.csv with the columns name, focus, aperture."
)
_Split = tuple[list[Record], list[str]]


class Pairs(BokehDataModule):
    """Input and target folders, paired strictly by file stem.

    With ``train`` and ``test`` subfolders these are the splits (and ``val``, if there). Without, everything is the
    test split, and the training split too unless ``train_fraction`` divides it.

    Args:
        root: folder that has the input and target folders, or ``train`` and ``test`` with these in them.
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        input: folder name of the all-in-focus pictures.
        target: folder name of the bokeh pictures; None = there are none, for predict alone.
        disparity: folder name of disparity maps (1 = near); None = ``disparity`` where it is there.
        mask: folder name of subject masks; None = ``mask``, ``focus_mask`` or ``focal`` where it is there.
        table: CSV with columns name, focus (disparity), aperture (pixels of that picture), relative to ``root``;
            None = ``focus_aperture.csv`` where it is there.
        focus: disparity in focus where the table has none; None = estimated from disparity and mask.
        aperture_at_1024: blur radius in pixels of a picture 1024 high at a disparity difference of 1, where the table
            has none; None = left out.
        train_fraction: without subfolders, the part of the pictures to train on; the rest is the test split.
        val_fraction: the part of the training pictures that is held out for validation (of 10 or more pictures).
        split_seed: seed of these two divisions.
    """

    layout_rank = 1

    def __init__(
        self,
        root: str | Path | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
        input: str = "input",
        target: str | None = "target",
        disparity: str | None = None,
        mask: str | None = None,
        table: str | None = None,
        focus: float | None = None,
        aperture_at_1024: float | None = None,
        train_fraction: float | None = None,
        val_fraction: float = 0.1,
        split_seed: int = 0,
    ) -> None:
        super().__init__(root, num_workers, sampling_seed)
        check_fractions(split_seed, train_fraction=train_fraction, val_fraction=val_fraction)
        self.input, self.target, self.disparity, self.mask, self.table = input, target, disparity, mask, table
        self.rule = FocusRule(focus, aperture_at_1024)
        self.train_fraction, self.val_fraction, self.split_seed = train_fraction, val_fraction, split_seed

    def build(self) -> None:
        """Pair the files of each split; a named folder that is not there, or a table that is none, is an error too."""
        root = self.folder(LAYOUT)
        splits = self._splits(root)
        table = FocusTable.find(root, self.table)
        if splits:
            self.notes += not_read(root, [*splits.values(), table.path])
            pairs = {split: self._pair(folder) for split, folder in splits.items()}
            train, test, val = (pairs.get(split, ([], [])) for split in ("train", "test", "val"))
        elif (root / self.input).is_dir():
            train, test, val = *self._divide(*self._pair(root)), ([], [])
        else:
            raise BokehbenchError(f"{root} has no folder '{self.input}'. {LAYOUT}")
        if val[0] or not train[0]:
            rest, held = train[0], val
        else:
            rest, drawn, notes = hold_out(train[0], self.val_fraction, self.split_seed)
            held = drawn, train[1]
            self.notes += notes
        wrong = table.problems({record.name for records, _ in (train, val, test) for record in records})
        if self.target is not None:
            self.train_set = RecordSet(table.applied(rest), self.rule, train[1] + wrong)
            self.val_set = RecordSet(table.applied(held[0]), self.rule, held[1] + wrong)
            self.test_set = RecordSet(table.applied(test[0]), self.rule, test[1] + wrong)
        inputs = [record.without("bokeh") for record in table.applied(test[0])]
        self.predict_set = RecordSet(inputs, self.rule, test[1] + wrong)

    def _splits(self, root: Path) -> dict[str, Path]:
        return {s: root / s for s in ("train", "val", "test") if (root / s / self.input).is_dir()}

    def map_places(self) -> dict[Path, Path]:
        """As the base: the folder of disparity maps beside that of the inputs."""
        root = self.folder(LAYOUT)
        maps = self.disparity or DISPARITY_FOLDERS[0]
        folders = self._splits(root).values() or [root]
        return {k: v for f in folders for k, v in map_places(f / self.input, f / maps).items()}

    def _pair(self, folder: Path) -> _Split:
        places = {"image": folder / self.input}
        if self.target is not None:
            places["bokeh"] = self._named(folder, "target", self.target)
        for key, given, usual in (("disparity", self.disparity, DISPARITY_FOLDERS), ("mask", self.mask, MASK_FOLDERS)):
            names = [name for name in usual if (folder / name).is_dir()] if given is None else [given]
            for name in names[:1]:
                places[key] = self._named(folder, key, name)
        self.notes += not_read(folder, [*places.values(), folder / (self.table or USUAL_NAME)])
        return pair(places, notes=self.notes)

    @staticmethod
    def _named(folder: Path, option: str, name: str) -> Path:
        if not (folder / name).is_dir():
            remedy = f"give the right name with --data.{option}. {LAYOUT}"
            raise BokehbenchError(f"{folder} has no folder '{name}': {remedy}")
        return folder / name

    def _divide(self, records: list[Record], problems: list[str]) -> tuple[_Split, _Split]:
        if self.train_fraction is None:
            self.notes.append(
                "training and test pictures are the same ones, as there are no train and test folders: scores say "
                "nothing about new pictures (--data.train_fraction 0.8 divides them)."
            )
            return (records, problems), (records, problems)
        train, test = seeded_split(records, self.train_fraction, self.split_seed)
        return (train, problems), (test, problems)
