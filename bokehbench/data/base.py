"""What all data sets share: loaders, paired augmentation, checks before training starts."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from inspect import currentframe, signature
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.parsing import collect_init_args
from torch.utils.data import DataLoader, Dataset

from bokehbench.batch import Batch
from bokehbench.cluster.connection import cores
from bokehbench.counted import counted
from bokehbench.data.augment import Item, fit_view, flip_and_turn
from bokehbench.data.collate import collate
from bokehbench.data.lock import beside
from bokehbench.data.sampling import Draw, DrawSampler, TrainingPlan, draw_generator
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.remote.mirror import local_folder
from bokehbench.remote.places import place
from bokehbench.stopping import outlive

#: Loader processes, where four for each core are not more.
MOST_WORKERS = 64
SPLITS = ("train", "val", "test", "predict")
#: Splits that each Lightning stage reads.
STAGE_SPLITS = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("predict",)}


class Completeness(NamedTuple):
    """How many pictures of a published split are on disk."""

    found: int
    expected: int

    @property
    def complete(self) -> bool:
        """False where scores on the split must be marked incomplete."""
        return self.found == self.expected


class PictureSet(Dataset[Item]):
    """A split: ``self[i]`` is a whole picture at native size, the same at every call.

    A subclass may also override :meth:`training_item`, to make random targets or to load only what a crop needs.
    """

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Item:
        raise NotImplementedError

    def training_item(self, draw: Draw, plan: TrainingPlan, generator: torch.Generator) -> Item:
        """The item for one training draw as ``plan.view`` wants it, before flips and turns.

        Every random choice must come from ``generator``, which depends on (sampling_seed, draw.number) only.
        """
        return fit_view(self[draw.index], plan.view, generator)

    def problems(self, deep: bool = False) -> list[str]:
        """One sentence per bad file; headers only, or every pixel where ``deep``. Made pictures have none."""
        return []


class TrainingSet(Dataset[Item]):
    """The training split under a plan; indexed by :class:`Draw`."""

    def __init__(self, pictures: PictureSet, plan: TrainingPlan, seed: int) -> None:
        self.pictures, self.plan, self.seed = pictures, plan, seed

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, draw: Draw) -> Item:
        generator = draw_generator(self.seed, draw.number)
        item = self.pictures.training_item(draw, self.plan, generator)
        return flip_and_turn(item, self.plan, generator)


class _Batches(Dataset[Item]):
    """Serves whole batches, and a :class:`BokehbenchError` instead of raising it.

    Torch turns what a worker raises into the text of a stack trace.
    """

    def __init__(self, pictures: Dataset[Item]) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)  # type: ignore[arg-type]

    def __getitems__(self, keys: Sequence[Any]) -> Batch | BokehbenchError:
        try:
            return collate([self.pictures[key] for key in keys])
        except BokehbenchError as error:
            return error


def _as_it_is(batch: Any) -> Any:
    return batch


class PictureLoader(DataLoader):
    """A DataLoader of :class:`_Batches`: a bad picture raises its error here, in the main process."""

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, BokehbenchError):
                # A new one: an exception that its own frame holds is a cycle, which keeps the workers from stopping.
                raise BokehbenchError(str(batch))
            yield batch


class BokehDataModule(LightningDataModule):
    """Base of all data sets. A subclass sets the four splits in :meth:`build` (None = does not have it).

    Args:
        root: the data set's folder, or its URL (docs/data/remote.md).
        num_workers: loader processes, no more than 64 or four per core; None = min(4, cores), 0 = load in the main
            process.
        sampling_seed: seed of the training draws; draw n is the same whatever the workers, batch size or resume.

    Attributes:
        train_set, val_set, test_set, predict_set: splits, after ``setup``.
        completeness: per split with a published size, how much of it is there.
        notes: sentences about this copy of the data that a user should know, printed once by ``setup``.
        lock: SHA-256 of the manifest in ``root`` (`data lock`), set by the ``setup`` of a test where the files fit it.
    """

    #: Options that say where files are and how they are read, not what a test sees: :meth:`settings` leaves them out.
    not_settings: ClassVar[tuple[str, ...]] = ("root", "num_workers", "sampling_seed")

    #: Whether its pictures are drawn by a program: a depth network trained on them alone is not believed on photos.
    synthetic: ClassVar[bool] = False
    #: How special the layout of ``root`` is: `bokehbench doctor` tries the highest first; 0 = it does not look for it.
    layout_rank: ClassVar[int] = 0
    #: Class path of the callback that makes a result of a test on it; `measure` is above `data`, hence a name.
    recorder: ClassVar[str] = "bokehbench.measure.recorder.ResultRecorder"

    def __init__(self, root: str | Path | None = None, num_workers: int | None = None, sampling_seed: int = 0) -> None:
        super().__init__()
        self._options: dict[str, Any] = {}
        frame = currentframe()
        assert frame is not None
        # As save_hyperparameters does, which would put the options, paths among them, into every checkpoint too.
        for arguments in collect_init_args(frame, [], classes=(BokehDataModule,)):
            self._options |= arguments
        check_options(
            "--data.",
            within("num_workers", num_workers or 0, 0, max(MOST_WORKERS, 4 * cores())),
            within("sampling_seed", sampling_seed, 0),
        )
        self._place = None if root is None else place(root)
        self.num_workers = min(4, cores()) if num_workers is None else num_workers
        self.sampling_seed = sampling_seed
        self.train_set: PictureSet | None = None
        self.val_set: PictureSet | None = None
        self.test_set: PictureSet | None = None
        self.predict_set: PictureSet | None = None
        self.completeness: dict[str, Completeness] = {}
        self.notes: list[str] = []
        self.lock = ""
        self.plan: TrainingPlan | None = None
        self._built = False
        self._said = 0
        self._checked: set[str] = set()

    # What a data set provides -------------------------------------------------------------------

    def build(self) -> None:
        """Find the files and set the splits, ``completeness`` and ``notes``; reads no pixels.

        Raises:
            BokehbenchError: no root, or a layout that is not the expected one: says what is expected.
        """
        raise NotImplementedError

    def folder(self, layout: str) -> Path:
        """``root``, for :meth:`build`; where it is not a folder, the error ends with ``layout``, what is expected."""
        if self.root is None:
            raise BokehbenchError(f"{type(self).__name__} needs --data.root. {layout}")
        if not self.root.is_dir():
            raise BokehbenchError(f"--data.root {self.root} is not a folder. {layout}")
        return self.root

    @cached_property
    def root(self) -> Path | None:
        """The folder on this machine, mirrored at the first use where a URL was given."""
        return None if self._place is None else local_folder(self._place)

    def problems(self, split: str, deep: bool = False) -> list[str]:
        """One sentence per bad file of ``split``; headers only, or every pixel where ``deep``."""
        pictures = self.pictures(split)
        found = [] if pictures is None else pictures.problems(deep=deep)
        self.notes += [note for note in getattr(pictures, "notes", ()) if note not in self.notes]
        return found

    def count(self, split: str, found: int, expected: int) -> None:
        """Say in ``completeness``, and in a note where some are lacking, how much of a published split is here."""
        self.completeness[split] = Completeness(found, expected)
        if 0 < found < expected:
            marked = ": scores on it will be marked incomplete" if split == "test" else ""
            self.notes.append(f"{found} of {expected} pictures of the {split} split are here{marked}.")

    # What all share -----------------------------------------------------------------------------

    def pictures(self, split: str) -> PictureSet | None:
        """The split by name: train, val, test or predict."""
        if split not in SPLITS:
            raise ValueError(f"split '{split}' is not one of {SPLITS}")
        self._build_once()
        return getattr(self, f"{split}_set")

    def settings(self) -> dict[str, Any]:
        """What decides which pictures a test sees: ``class`` and the options, as numbers, strings and lists.

        An option of a data set counts unless its class names it in :attr:`not_settings`; one that is None does not.
        """
        kinds = {name: str(each.annotation) for name, each in signature(type(self).__init__).parameters.items()}
        shown: dict[str, Any] = {"class": type(self).__name__}
        for name, value in self._options.items():
            if name in self.not_settings or value is None:
                continue
            if type(value) is int and "float" in kinds.get(name, ""):
                value = float(value)  # as the command line reads it
            shown[name] = str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
        return shown

    def files(self) -> dict[Path, list[str]]:
        """Every file of a picture -> the splits that read it; empty where pictures are made."""
        found: dict[Path, list[str]] = {}
        for split in SPLITS:
            records = getattr(self.pictures(split), "records", ())
            for file in dict.fromkeys(file for record in records for file in record.files.values()):
                found.setdefault(file, []).append(split)
        return found

    def _build_once(self) -> None:
        if not self._built:
            self.build()
            self._built = True

    def setup(self, stage: str | None = None) -> None:
        """Find the files, and check those of ``stage`` so that no bad one stops a run half way.

        Raises:
            BokehbenchError: names the bad files (first 10 and the count), or the split that is missing.
        """
        self._build_once()
        self._say_notes()
        # Lightning passes an enumeration whose str() is not its value.
        for split in STAGE_SPLITS.get(getattr(stage, "value", stage) or "", ()):
            pictures = self.pictures(split)
            if pictures is None or len(pictures) == 0:
                raise BokehbenchError(
                    f"{type(self).__name__} in {self.root} has no {split} pictures: "
                    "see `bokehbench data describe` for what is there."
                )
            if split not in self._checked:
                raise_problems(self.problems(split), f"{type(self).__name__}, {split} split")
                self._checked.add(split)
            if split == "test" and not self.lock:
                self.lock, notes = beside(self.root, [file for file, splits in self.files().items() if split in splits])
                self.notes += [note for note in notes if note not in self.notes]
        self._say_notes()

    def _say_notes(self) -> None:
        """Print the notes that were not printed yet."""
        for note in self.notes[self._said :]:  # no logger, whose level may hide what the reader of a score must know
            rank_zero_only(print)(f"{type(self).__name__}: {note}")
        self._said = len(self.notes)

    def check(self, deep: bool = False) -> list[str]:
        """One sentence per problem in any split; decodes every file where ``deep``, reads headers otherwise."""
        try:
            self._build_once()
        except BokehbenchError as error:
            return str(error).splitlines()
        found = [problem for split in SPLITS for problem in self.problems(split, deep=deep)]
        return list(dict.fromkeys(found))

    def map_places(self) -> dict[Path, Path]:
        """Every photo that may have a disparity map -> where this layout has the map, there or not yet.

        Raises:
            BokehbenchError: the data set is not there, or it reads no disparity maps from files.
        """
        raise BokehbenchError(f"{type(self).__name__} reads no disparity maps from files.")

    def plan_training(self, plan: TrainingPlan) -> None:
        """What ``train_dataloader`` serves from now on; the trainer calls it before each stage."""
        self.plan = plan

    def train_dataloader(self) -> PictureLoader:
        """Batches of the planned stage; without a plan one pass, batch size 1, whole pictures."""
        pictures = self._require("train")
        plan = self.plan or TrainingPlan(batch_size=1, steps=len(pictures))
        sampler = DrawSampler(len(pictures), plan, self.sampling_seed)
        return self._loader(TrainingSet(pictures, plan, self.sampling_seed), batch_sampler=sampler)

    def val_dataloader(self) -> PictureLoader:
        """Whole pictures, one at a time, each on exactly one rank."""
        return self._whole("val")

    def test_dataloader(self) -> PictureLoader:
        """Whole pictures, one at a time, each on exactly one rank."""
        return self._whole("test")

    def predict_dataloader(self) -> PictureLoader:
        """Whole pictures without targets, one at a time, each on exactly one rank."""
        return self._whole("predict")

    def some(self, split: str, places: Sequence[int]) -> PictureLoader:
        """The whole pictures of a split at ``places``, one at a time, read in this process."""
        return self._loader(self._require(split), workers=0, batch_size=1, sampler=places)

    def _require(self, split: str) -> PictureSet:
        pictures = self.pictures(split)
        if pictures is None:
            raise BokehbenchError(f"{type(self).__name__} has no {split} pictures.")
        return pictures

    def _whole(self, split: str) -> PictureLoader:
        pictures = self._require(split)
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)
        return self._loader(pictures, batch_size=1, sampler=range(rank, len(pictures), ranks))

    def _loader(self, pictures: Dataset[Item], workers: int | None = None, **options: Any) -> PictureLoader:
        workers = self.num_workers if workers is None else workers
        return PictureLoader(
            _Batches(pictures),
            collate_fn=_as_it_is,
            num_workers=workers,
            pin_memory=torch.cuda.is_available(),  # on a CPU it only copies once more
            persistent_workers=workers > 0,
            worker_init_fn=outlive,
            **options,
        )


def raise_problems(problems: Sequence[str], where: str) -> None:
    """Raise :class:`BokehbenchError` that lists the first ten ``problems`` and their count, if there are any."""
    if problems:
        count = counted(len(problems), "problem")
        shown = "".join(f"\n  {problem}" for problem in problems[:10])
        more = f"\n  ... and {len(problems) - 10} more: `bokehbench data check` lists all." * (len(problems) > 10)
        raise BokehbenchError(f"{where}: {count}:{shown}{more}")
