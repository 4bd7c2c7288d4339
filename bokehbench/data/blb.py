"""BLB: Blender scenes at every blur and focus, by BokehMe's authors (Peng et al., CVPR 2022)."""

from pathlib import Path
from typing import get_args

from bokehbench.counted import some
from bokehbench.data import exr
from bokehbench.data.base import BokehDataModule, Completeness
from bokehbench.data.blb_set import BLBRecord, BLBSet, Convention, Encoding, read_info
from bokehbench.data.folders import natural, not_read
from bokehbench.errors import BokehbenchError, check_options

#: Scenes, blurs and focus planes that were published.
SCENES, LEVELS, PLANES = 10, 5, 10
LAYOUT = (
    "BLB is expected as ROOT/SCENE/image.exr, depth.exr, info.json and bokeh_0L_0F.exr, with blur level L and focus "
    "plane F from 0. It is never downloaded for you: its authors give it out on BokehMe's page."
)


class BLB(BokehDataModule):
    """BLB as it is published: ten scenes at many blurs and focus planes. A test set: all splits are the same.

    Args:
        root: the folder of the scenes.
        num_workers, sampling_seed: see :class:`BokehDataModule`.
        convention: what the numbers of ``info.json`` mean, on which the author's instructions differ: ``raw``, K times
            a difference of 1 / distance; ``normalised``, map and focus stretched to [0, 1] and K as it is;
            ``normalised_map``, the map alone.
        encoding: of the pictures: ``gamma22``, light^(1 / 2.2) as the author's, or ``srgb``, as of all other sets.
        levels: blur levels to take, from 0; None = all.
        focus_planes: focus planes to take, from 0; None = all.
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
    ) -> None:
        super().__init__(root, num_workers, sampling_seed)
        check_options(
            "--data.",
            ("convention", convention, convention in get_args(Convention), "raw, normalised or normalised_map"),
            ("encoding", encoding, encoding in get_args(Encoding), "gamma22 or srgb"),
            ("levels", levels, levels is None or min(levels, default=-1) >= 0, "numbers from 0"),
            (
                "focus_planes",
                focus_planes,
                focus_planes is None or min(focus_planes, default=-1) >= 0,
                "numbers from 0",
            ),
        )
        self.convention, self.encoding = convention, encoding
        self.levels, self.focus_planes = levels, focus_planes

    def build(self) -> None:
        """List the scenes and their targets."""
        root = self.folder(LAYOUT)
        found = {path.parent for name in ("info.json", "image.exr") for path in root.glob(f"[!.]*/{name}")}
        if not found:
            raise BokehbenchError(f"{root} has no folder of a scene. {LAYOUT}")
        exr.library()
        self.notes += not_read(root, found)
        targets, problems = [], []
        for scene in sorted(found, key=lambda path: natural(path.name)):
            of_scene, wrong = self._targets(scene)
            targets += of_scene
            problems += wrong
        expected = SCENES * len(self.levels or range(LEVELS)) * len(self.focus_planes or range(PLANES))
        self.completeness["test"] = Completeness(len(targets), expected)
        self.notes.append("training and test pictures are the same ones: train on other data, test on BLB.")
        inputs = [target.without("bokeh") for target in targets]
        self.train_set = self.val_set = self.test_set = BLBSet(targets, problems, self.convention, self.encoding)
        self.predict_set = BLBSet(inputs, problems, self.convention, self.encoding)

    def _targets(self, folder: Path) -> tuple[list[BLBRecord], list[str]]:
        """The targets of a scene, and a sentence per problem."""
        try:
            scene = read_info(folder)
        except BokehbenchError as error:
            return [], [str(error)]
        levels, planes = range(len(scene.blurs)), range(len(scene.distances))
        places = {"image": folder / "image.exr", "disparity": folder / "depth.exr"}
        lacking = [path.name for path in places.values() if not path.is_file()]
        targets = []
        for level in levels if self.levels is None else dict.fromkeys(self.levels):
            for plane in planes if self.focus_planes is None else dict.fromkeys(self.focus_planes):
                name, target = f"{level:02d}_{plane:02d}", folder / f"bokeh_{level:02d}_{plane:02d}.exr"
                if level not in levels or plane not in planes or not target.is_file():
                    lacking.append(target.name)
                files = {**places, "bokeh": target}
                record = BLBRecord(f"{folder.name}_{name}", files, scene=scene, level=level, plane=plane)
                targets.append(record)
        if lacking:
            remedy = "restore them and info.json, or choose others with --data.levels and --data.focus_planes"
            return [], [f"{folder}: lacks {some(lacking)}: {remedy}."]
        return targets, []
