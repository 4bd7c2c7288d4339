"""RGB-D collections: photos with measured depth, bokeh rendered from it (DeepLens, Wang et al. 2018, Sec. 4.1)."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bokehbench.counted import counted
from bokehbench.data.base import BokehDataModule
from bokehbench.data.folders import Record, check_fractions, hold_out, in_list, map_places, not_read, pair, seeded_split
from bokehbench.data.records import RecordSet
from bokehbench.data.rendering import RENDERERS, Renderer
from bokehbench.data.rgbd_set import DepthReading, RGBDSet, RGBDTrainingSet
from bokehbench.data.saliency import saliency_records
from bokehbench.errors import BokehbenchError, check_options
from bokehbench.files import read_text

LAYOUT = (
    "An RGB-D collection is expected as ROOT/images/NAME.jpg and ROOT/depth/NAME.png (8 or 16 bit; or float .tif, "
    ".pfm or .npy), with lists of one NAME per line, ROOT/train.txt, ROOT/test.txt and ROOT/val.txt, if you have "
    "them. The paper's 2262 / 200 iPhone pictures were never released: use any RGB-D collection of your own."
)


class IPhoneDepth(BokehDataModule):
    """Any RGB-D collection in DeepLens' way: disparity by min-max, targets rendered from the true disparity.

    Training draws focus (the disparity of a random pixel) and aperture (uniform) per draw; the other splits have
    fixed ones that depend on the picture's name only. The paper never states its largest radius; the default, 25.6 px
    at 1024 x 1024, is 8 px at 320 x 320, which the configuration of the authors' code suggests.

    Args:
        root: the folder that has ``images`` and ``depth``.
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        depth_kind: ``depth`` (larger = farther, any unit) or ``disparity`` (larger = nearer).
        invalid: file value that marks what was not measured; it, NaN and infinity become farthest. None = no such
            value. ``auto``: 0 in depth, no such value in disparity, where 0 is the farthest.
        saliency_roots: folders of image + mask sets (MSRA10K, DUTS) mixed into every training batch.
        saliency_fraction: their part of each batch.
        renderer: the reference renderer of the targets: ``raytraced`` (as the paper's), or the faster ``layered`` and
            ``scatter``. Train and test with the same one; boards name theirs.
        min_aperture_at_1024, max_aperture_at_1024: range of the training aperture, in pixels of a picture of 1024 x
            1024 (scales with sqrt(H W)); the other splits use the largest.
        train_fraction: without split lists, the part to train on (the paper's 2262 of 2462).
        val_fraction: without a list, the part of the training pictures held out for validation (of 10 or more).
        split_seed: seed of these two divisions.
    """

    layout_rank = 2

    def __init__(
        self,
        root: str | Path | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
        depth_kind: Literal["depth", "disparity"] = "depth",
        invalid: float | Literal["auto"] | None = "auto",
        saliency_roots: list[str] | None = None,
        saliency_fraction: float = 0.5,
        renderer: Renderer = "raytraced",
        min_aperture_at_1024: float = 0.0,
        max_aperture_at_1024: float = 25.6,
        train_fraction: float = 2262 / 2462,
        val_fraction: float = 0.05,
        split_seed: int = 0,
    ) -> None:
        super().__init__(root, num_workers, sampling_seed)
        check_fractions(
            split_seed, saliency_fraction=saliency_fraction, train_fraction=train_fraction, val_fraction=val_fraction
        )
        self.apertures_at_1024 = low, high = min_aperture_at_1024, max_aperture_at_1024
        both = f"{low} and --data.max_aperture_at_1024 {high}"
        check_options(
            "--data.",
            ("min_aperture_at_1024", both, 0 <= low <= high <= 512, "0 <= min <= max <= 512"),
            ("renderer", renderer, renderer in RENDERERS, "raytraced, layered or scatter"),
            ("depth_kind", depth_kind, depth_kind in ("depth", "disparity"), "depth or disparity"),
        )
        if invalid == "auto":
            invalid = self._options["invalid"] = 0.0 if depth_kind == "depth" else None
        self.reading = DepthReading(depth_kind, invalid)
        self.saliency_roots, self.saliency_fraction = saliency_roots or [], saliency_fraction
        self.renderer = renderer
        self.train_fraction, self.val_fraction, self.split_seed = train_fraction, val_fraction, split_seed

    def map_places(self) -> dict[Path, Path]:
        """As the base; BokehbenchError unless files in ``depth`` are read as disparity, which predicted maps are."""
        if self.reading.kind != "disparity":
            raise BokehbenchError(
                "Predicted maps are disparity: add --data.depth_kind disparity, here and in training."
            )
        root = self.folder(LAYOUT)
        return map_places(root / "images", root / "depth")

    def _refuse_other_kind(self, table: Path) -> None:
        """Raise where the table of `bokehbench data import-phone` says that the maps are not of ``depth_kind``."""
        rows = csv.DictReader(read_text(table).splitlines()) if table.is_file() else ()
        other = "depth" if self.reading.kind == "disparity" else "disparity"
        if any(row.get("kind") == other for row in rows):
            raise BokehbenchError(
                f"{table} says that the maps are {other}: give --data.depth_kind {other}, or near and far are swapped "
                "(remove the table, if it is wrong)."
            )

    def build(self) -> None:
        """Pair images with depth and divide them."""
        self.notes.append(f"targets are rendered from the depth (--data.renderer {self.renderer}).")
        root = self.folder(LAYOUT)
        places = {"image": root / "images", "disparity": root / "depth", "mask": root / "masks"}
        if not places["image"].is_dir() or not places["disparity"].is_dir():
            raise BokehbenchError(f"{root} has no folders images and depth. {LAYOUT}")
        if not places["mask"].is_dir():
            places.pop("mask")
        self._refuse_other_kind(table := root / "import.csv")
        records, problems = pair(places, strict=(), notes=self.notes, optional=("mask",))
        bare = sum("mask" not in record.files for record in records) if "mask" in places else 0
        self.notes += [f"{bare} of {counted(len(records), 'picture')} without a file in masks."] if bare else []
        lists = [root / f"{name}.txt" for name in ("train", "test", "val")]
        self.notes += not_read(root, [*places.values(), *lists, table])
        train, test, val = (in_list(path, records, problems) for path in lists)
        if train is None and test is None:
            train, test = seeded_split(records, self.train_fraction, self.split_seed)
        listed = {record.name for record in (train or test or [])}
        rest = [record for record in records if record.name not in listed]
        train, test = (rest if part is None else part for part in (train, test))
        both = {r.name for r in train} & {r.name for r in test}
        problems += [f"{root}: '{name}' is in both train.txt and test.txt: remove one." for name in sorted(both)]
        if val is None:
            train, val, notes = hold_out(train, self.val_fraction, self.split_seed)
            self.notes += notes
        else:
            held = {record.name for record in val}
            train = [record for record in train if record.name not in held]
        salient, salient_problems = saliency_records(self.saliency_roots)
        share = self.saliency_fraction if salient else 0.0
        if salient:
            self.notes.append(f"{len(salient)} saliency pictures make up {share:.0%} of every training batch.")

        def split(records: Sequence[Record], targets: bool = True) -> RGBDSet:
            return RGBDSet(records, problems, self.reading, self.renderer, self.apertures_at_1024, targets)

        saliency = RecordSet(salient, found=salient_problems)
        self.train_set = RGBDTrainingSet(split(train), saliency, share, self.sampling_seed)
        self.val_set, self.test_set = split(val), split(test)
        self.predict_set = split(test, targets=False)
