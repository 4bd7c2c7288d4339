"""RealBokeh (of Bokehlicious): scenes at f/22 and, as targets, at two to twenty-one wider apertures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tqdm import tqdm

from bokehbench.data.folders import Record, list_pictures, not_read, pair
from bokehbench.data.many_apertures import ManyApertures
from bokehbench.data.realbokeh_scene import Source, read_metadata, scene_of, scene_targets
from bokehbench.errors import BokehbenchError, check_options

#: Split -> targets of the public RealBokeh_3MP.
PUBLISHED = {"train": 20554, "val": 1240, "test": 1257}


class RealBokeh(ManyApertures):
    """RealBokeh in its published layout, whole or in part; also the inputs that a challenge gives out, for ``predict``.

    An item is a target, called as its file: ``12_f2.8``. Scene numbers begin at 1 in each split.

    Args:
        root: the folder that has ``train``, ``validation`` and ``test``, or some of them.
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        f_numbers: only targets with one of these f-numbers, such as ``[2.0]``; None = all.
        f_number_from: which f-number of a target counts, that in its ``name`` or that in its scene's ``metadata``;
            ``both``: they must agree.
        focus: disparity in focus for all pictures; None = estimated from disparity and mask, where they are there.
        aperture_at_1024: blur radius in pixels at a disparity difference of 1 in a picture 1024 high *at f/2.0*; at f/N
            it is 2.0 / N of that. None = left out.
        val_fraction: without a folder ``validation``, the part of the training scenes held out (of 10 or more).
        split_seed: seed of this division.
    """

    layout = (
        "RealBokeh is expected as ROOT/{train,validation,test}/in/ID_f22.JPG, gt/ID/ID_fN.JPG and metadata/ID.json, as "
        "RealBokeh_3MP has it, optionally with disparity/ID_f22.png (bright = near) and mask/ID_f22.png beside in/."
    )
    layout_rank = 5
    folders: ClassVar = {"train": "train", "val": "validation", "test": "test"}
    photos = "in"

    def __init__(
        self,
        root: str | Path | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
        f_numbers: list[float] | None = None,
        f_number_from: Source = "both",
        focus: float | None = None,
        aperture_at_1024: float | None = None,
        val_fraction: float = 0.1,
        split_seed: int = 0,
    ) -> None:
        super().__init__(root, num_workers, sampling_seed, f_numbers, focus, aperture_at_1024, val_fraction, split_seed)
        known = ("both", "name", "metadata")
        check_options("--data.", ("f_number_from", f_number_from, f_number_from in known, "both, name or metadata"))
        self.f_number_from = f_number_from

    def build(self) -> None:
        """As the base; says how much of the public set is here."""
        super().build()
        for split, expected in PUBLISHED.items():
            pictures = getattr(self, f"{split}_set")
            if self.f_numbers is None and pictures is not None:
                self.count(split, len(pictures), expected)

    def read_split(self, folder: Path) -> tuple[list[Record], list[str]]:
        """As the base."""
        places, truth, about = self.places(folder), folder / "gt", folder / "metadata"
        self.notes += not_read(folder, [*places.values(), truth, about])
        photos, problems = pair(places, strict=(), notes=self.notes)
        if not truth.is_dir():
            self.notes.append(f"{folder} has no gt: its pictures are for predict alone.")
        if not about.is_dir():
            self.notes.append(f"{folder} has no metadata: f-numbers are those in the names of the files.")
        records: list[Record] = []
        seen: dict[str, Path] = {}
        for photo in tqdm(photos, desc="reading scenes", unit="scene", delay=2, leave=False):
            path, scene = photo.files["image"], scene_of(photo.name)
            if other := seen.get(scene):
                problems.append(f"{path}: a second input of scene {scene} beside {other.name}: keep one of them.")
                continue
            seen[scene] = path
            found, wrong = self._scene(photo, scene, truth, about / f"{scene}.json")
            records += found
            problems += wrong
        return records, problems + self._without_input(folder, seen)

    def _scene(self, photo: Record, scene: str, truth: Path, about: Path) -> tuple[list[Record], list[str]]:
        try:
            said = read_metadata(about) if about.parent.is_dir() else None
        except BokehbenchError as error:
            return [], [str(error)]
        listing = list_pictures(truth / scene) if truth.is_dir() else None
        self.notes += listing.notes if listing is not None else []
        if listing is not None and not listing.files:
            return [], [f"{photo.files['image']}: has no targets in {truth / scene}: add them, or remove this input."]
        targets = listing.files if listing is not None else None
        values, problems = scene_targets(photo.files["image"], said, about, targets, self.f_number_from)
        records = [replace(photo, name=stem, f_number=value) for stem, value in values.items()]
        if listing is None:
            return records if said is not None else [photo], problems
        records = [replace(r, files={**r.files, "bokeh": listing.files[r.name]}) for r in records]
        return records, listing.problems + problems

    @staticmethod
    def _without_input(folder: Path, scenes: dict[str, Path]) -> list[str]:
        """A sentence for each scene that has targets or metadata and no input."""
        there = {path.name: path for path in sorted(folder.glob("gt/[!.]*")) if path.is_dir()}
        there |= {path.stem: path for path in sorted(folder.glob("metadata/[!.]*.json"))}
        return [
            f"{path}: there is no input {name}_fN in {folder / 'in'}: add it, or remove this."
            for name, path in there.items()
            if name not in scenes
        ]
