"""BLB: Blender scenes at every blur and focus, by BokehMe's authors (Peng et al., CVPR 2022)."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from bokehbench.counted import some
from bokehbench.data import exr
from bokehbench.data.base import BokehDataModule, Completeness
from bokehbench.data.blb_set import BLBRecord, BLBSet, Convention, Encoding, read_info
from bokehbench.data.folders import Record, check_fractions, natural, not_read, seeded_split
from bokehbench.errors import BokehbenchError, check_options

#: Scenes, blurs and focus planes that were published.
SCENES, LEVELS, PLANES = 10, 5, 10
LAYOUT = (
    "BLB is expected as ROOT/SCENE/image.exr, depth.exr, info.json and bokeh_0L_0F.exr, with blur level L and focus "
    "plane F from 0. It is never downloaded for you: its authors give it out on BokehMe's page."
)
#: The targets of a scene, and a sentence per problem.
_Listed = tuple[list[BLBRecord], list[str]]


class BLB(BokehDataModule):
    """BLB as it is published: ten scenes with many blurs and focus planes each. Everything is the test split.

    It is the training split too unless ``train_fraction`` divides the scenes, each of which is then in one split alone.

    Args:
        root: the folder of the scenes.
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        convention: what the numbers of ``info.json`` mean, on which the author's instructions differ: ``raw``, K times
            a difference of 1 / distance; ``normalised``, map and focus stretched to [0, 1] and K as it is;
            ``normalised_map``, the map alone.
        encoding: of the pictures: ``gamma22``, light^(1 / 2.2) as the author's, or ``srgb``, as of all other sets.
        levels: blur levels to take, from 0; None = all.
        focus_planes: focus planes to take, from 0; None = all.
        train_fraction: the part of the scenes to train on; the rest is the test split.
        split_seed: seed of this division.
    """

    layout_rank = 4

    def __init__(
        self,
        root: str | Path | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
        convention: Convention = "raw",
        encoding: Encoding = "gamma22",
        levels: list[int] | None = None,
        focus_planes: list[int] | None = None,
        train_fraction: float | None = None,
        split_seed: int = 0,
    ) -> None:
        super().__init__(root, num_workers, sampling_seed)
        check_fractions(split_seed, train_fraction=train_fraction)
        chosen = {"levels": levels, "focus_planes": focus_planes}
        check_options(
            "--data.",
            ("convention", convention, convention in get_args(Convention), "raw, normalised or normalised_map"),
            ("encoding", encoding, encoding in get_args(Encoding), "gamma22 or srgb"),
            *((name, given, _numbers(given), "numbers from 0, each once") for name, given in chosen.items()),
        )
        self.convention, self.encoding = convention, encoding
        self.levels, self.focus_planes = levels, focus_planes
        self.train_fraction, self.split_seed = train_fraction, split_seed

    def build(self) -> None:
        """List the scenes and their targets."""
        root = self.folder(LAYOUT)
        found = {path.parent for name in ("info.json", "image.exr") for path in root.glob(f"[!.]*/{name}")}
        if not found:
            raise BokehbenchError(f"{root} has no folder of a scene. {LAYOUT}")
        exr.library()
        self.notes += not_read(root, found)
        listed = {scene.name: self._targets(scene) for scene in sorted(found, key=lambda path: natural(path.name))}
        train, test = list(listed), list(listed)
        if self.train_fraction is None:
            self.notes.append(
                "training and test pictures are the same ones: scores say nothing about new scenes "
                "(--data.train_fraction 0.8 divides them)."
            )
            expected = SCENES * len(self.levels or range(LEVELS)) * len(self.focus_planes or range(PLANES))
            self.completeness["test"] = Completeness(sum(len(records) for records, _ in listed.values()), expected)
        else:
            parts = seeded_split([Record(name, {}) for name in listed], self.train_fraction, self.split_seed)
            train, test = ([record.name for record in part] for part in parts)
        self.notes.append("validation uses the training pictures themselves.")
        self.train_set = self.val_set = self._set([listed[name] for name in train])
        self.test_set = self._set([listed[name] for name in test])
        self.predict_set = self._set([listed[name] for name in test], targets=False)

    def _set(self, parts: Sequence[_Listed], targets: bool = True) -> BLBSet:
        records = [record for part, _ in parts for record in part]
        problems = [problem for _, part in parts for problem in part]
        records = records if targets else [record.without("bokeh") for record in records]
        return BLBSet(records, problems, self.convention, self.encoding)

    def _targets(self, folder: Path) -> _Listed:
        try:
            scene = read_info(folder)
        except BokehbenchError as error:
            return [], [str(error)]
        levels = list(range(len(scene.blurs))) if self.levels is None else self.levels
        planes = list(range(len(scene.distances))) if self.focus_planes is None else self.focus_planes
        problems = [
            f"{folder}: --data.{option} {max(given)} is not there: give 0 to {len(known) - 1}."
            for option, given, known in (("levels", levels, scene.blurs), ("focus_planes", planes, scene.distances))
            if max(given) >= len(known)
        ]
        if problems:
            return [], problems
        places = {"image": folder / "image.exr", "disparity": folder / "depth.exr"}
        targets = [
            BLBRecord(
                f"{folder.name}_{level:02d}_{plane:02d}",
                {**places, "bokeh": folder / f"bokeh_{level:02d}_{plane:02d}.exr"},
                scene=scene,
                level=level,
                plane=plane,
            )
            for level in levels
            for plane in planes
        ]
        files = dict.fromkeys(path for target in targets for path in target.files.values())
        if lacking := [path.name for path in files if not path.is_file()]:
            remedy = "add them; targets can be left out with --data.levels and --data.focus_planes"
            problems.append(f"{folder}: lacks {some(lacking)}: {remedy}.")
        return ([] if problems else targets), problems


def _numbers(given: list[int] | None) -> bool:
    return given is None or (bool(given) and min(given) >= 0 and len(set(given)) == len(given))
