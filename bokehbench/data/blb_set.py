"""Scenes of BLB: their numbers, and what these mean for focus and aperture."""

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from torch import Tensor

from bokehbench.data.augment import resize
from bokehbench.data.checks import problem_of
from bokehbench.data.colour import encoded
from bokehbench.data.decoding import picture_size
from bokehbench.data.folders import Record
from bokehbench.data.maps import read_values
from bokehbench.data.pixels import read_light
from bokehbench.data.records import RecordSet
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_text
from bokehbench.optics.disparity import minmax

#: How K and the focus distance of ``info.json`` are meant; see docs/data/blb.md.
Convention = Literal["raw", "normalised", "normalised_map"]
#: How linear light becomes the values of the batch.
Encoding = Literal["gamma22", "srgb"]
#: The largest half float: infinitely far.
FARTHEST = 65504.0
#: A focus may lie outside of the scene by this share of its disparities: half floats are no better.
ROUNDING = 0.01
#: Radii of the widest blur of a scene that are no surprise: from these pixels to this share of the long side.
WIDEST_FROM, WIDEST_SHARE = 5.0, 0.1


@dataclass(frozen=True)
class Scene:
    """``info.json`` of a scene: K by level, distance by focus plane."""

    folder: Path
    blurs: tuple[float, ...]
    distances: tuple[float, ...]


@dataclass(frozen=True)
class BLBRecord(Record):
    """A target of a scene: its blur level and focus plane."""

    scene: Scene = Scene(Path(), (), ())
    level: int = 0
    plane: int = 0


class BLBSet(RecordSet):
    """Targets of scenes; disparity, focus and aperture by a convention, pictures by an encoding."""

    def __init__(
        self, targets: Sequence[BLBRecord], found: Sequence[str], convention: Convention, encoding: Encoding
    ) -> None:
        super().__init__(targets, found=found)
        self.targets, self.convention, self.encoding = targets, convention, encoding
        self._ranges: dict[Path, tuple[float, float]] = {}

    def record(self, index: int) -> Record:
        """The record with focus and aperture; errors as of :meth:`optics`."""
        target = self.targets[index]
        focus, aperture = self.optics(target, target.scene.blurs[target.level])
        return replace(target, focus=focus, aperture=aperture)

    def optics(self, target: BLBRecord, blur: float) -> tuple[float, float]:
        """Focus in [0, 1] and aperture in px of a target's focus plane and a K; a scene's depth is read once.

        Raises:
            BokehbenchError: a depth that cannot be read or is the same everywhere, or a focus outside of the scene.
        """
        path, distance = target.files["disparity"], target.scene.distances[target.plane]
        if path not in self._ranges:
            disparity = disparity_of(path)
            self._ranges[path] = float(disparity.min()), float(disparity.max())
        low, high = self._ranges[path]
        if not high > low:
            raise BokehbenchError(f"{path}: is of one depth, so it has no range of disparities: replace this scene.")
        near = 1 / min(distance, FARTHEST)
        focus = near if self.convention == "normalised_map" else (near - low) / (high - low)
        if not -ROUNDING <= focus <= 1 + ROUNDING:
            raise BokehbenchError(
                f"{target.scene.folder}: focus plane {target.plane} at {distance:g} lies outside of the scene, "
                f"{1 / high:g} to {1 / low:g}: leave it out with --data.focus_planes, or correct info.json."
            )
        return min(max(focus, 0.0), 1.0), blur * (high - low) if self.convention == "raw" else blur

    def read(self, path: Path) -> np.ndarray:
        """Linear light, clipped to [0, 1] and encoded, as H W 3 uint16."""
        light = read_light(path).clip(0, 1)
        values = encoded(light) if self.encoding == "srgb" else light ** (1 / 2.2)
        return np.rint(values * 65535).astype(np.uint16)

    def load_map(self, record: Record, key: str, height: int, width: int) -> Tensor:
        """The scene's disparity, 1 / depth stretched to [0, 1], 1 height width."""
        disparity = disparity_of(record.files[key], (height, width), record.files["image"])
        return resize(minmax(disparity), height, width, smooth=True)

    def problems(self, deep: bool = False) -> list[str]:
        """As the base; besides, depths and focus planes that make no sense. Notes K where its unit looks wrong."""
        problems = super().problems(deep)
        if not problems:
            problems = list(dict.fromkeys(p for n in range(len(self)) for p in problem_of(self.record, n)))
        scenes = {} if problems else {target.scene.folder: target for target in self.targets}
        self.notes += [note for target in scenes.values() if (note := self._unit(target))]
        return problems

    def _unit(self, target: BLBRecord) -> str:
        """A sentence where the widest blur that the scene's numbers give is no likely one."""
        scene, widest = target.scene, 0.0
        most = WIDEST_SHARE * max(picture_size(target.files["image"]))
        for plane in range(len(scene.distances)):
            with suppress(BokehbenchError):
                focus, aperture = self.optics(replace(target, plane=plane), max(scene.blurs))
                widest = max(widest, aperture * max(focus, 1 - focus))
        if WIDEST_FROM <= widest <= most:
            return ""
        return (
            f"{scene.folder}: the widest blur has a radius of {widest:.3g} px under --data.convention "
            f"{self.convention}, where {WIDEST_FROM:g} to {most:.3g} px are expected: the unit of K looks wrong, try "
            "another convention."
        )


def disparity_of(path: Path, size: tuple[int, int] | None = None, photo: Path | None = None) -> Tensor:
    """1 / depth of a file, 1 H W, in the unit of the file; :data:`FARTHEST` is the largest depth.

    Raises:
        BokehbenchError: a file that cannot be read or is of another shape, NaN, or values that are not above 0.
    """
    depth = read_values(path, size, photo)
    if bool(depth.isnan().any()) or not float(depth.min()) > 0:
        raise BokehbenchError(f"{path}: has NaN, or depths that are not above 0: render it again.")
    return 1 / depth.clamp(max=FARTHEST)


def read_info(folder: Path) -> Scene:
    """``info.json`` of a scene; BokehbenchError where it does not have numbers above 0 of both kinds."""
    path = folder / "info.json"
    text = read_text(path)
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        content = json.loads(text)
        blurs, distances = (tuple(map(float, content[key])) for key in ("blur_parameters", "focus_distances"))
        if blurs and distances and all(math.isfinite(number) and number > 0 for number in blurs + distances):
            return Scene(folder, blurs, distances)
    raise BokehbenchError(
        f"{path}: needs blur_parameters and focus_distances, two lists of numbers above 0: restore the original."
    )
