"""Control: scenes, charts and lamps under many apertures and focal planes (docs/metrics/control.md)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bokehbench.data.augment import Item
from bokehbench.data.base import BokehDataModule, PictureLoader, PictureSet
from bokehbench.data.one_thread import one_thread
from bokehbench.data.synthetic.procedural import Procedural
from bokehbench.data.synthetic.scene import Foreground, Scene, SceneOptions
from bokehbench.data.synthetic_dof import SyntheticScenes
from bokehbench.errors import check_options, within
from bokehbench.optics.aperture_kernels import area_disk

#: Blur radii in px at a disparity difference of 1 that every scene is rendered with, on each of its focal planes.
APERTURES = (4.0, 8.0, 12.0, 16.0, 20.0, 24.0)
PLANES = ("front", "background")
#: Of the charts: how many, the aperture, and the disparities in focus.
CHARTS, CHART_APERTURE, CHART_FOCUSES = 4, 16.0, (0.1, 0.3, 0.5, 0.7, 0.9)
#: Of the lamps: the apertures, the focus, the wall's disparity and light, the lamps' radius in px.
LAMP_APERTURES, LAMP_FOCUS, WALL, WALL_LIGHT, LAMP_RADIUS = (8.0, 16.0), 0.7, 0.2, 0.02, 1.5
LAMPS = "lamps"


@dataclass(eq=False)
class ControlItems(PictureSet):
    """Items called ``scene-003/front/08``, scene by scene: aperture 0, each plane's apertures, rising; charts; lamps.

    Scene i is scene i of the test split of :class:`~bokehbench.data.SyntheticDoF`, without highlights.
    """

    scenes: SyntheticScenes
    length: int

    def __post_init__(self) -> None:
        self.items = [(i, plane, aperture) for i in range(self.length) for plane, aperture in _SWEEPS]
        self.items += [(-1 - i, f"{focus:g}", CHART_APERTURE) for i in range(CHARTS) for focus in CHART_FOCUSES]
        self.items += [(-1 - CHARTS, f"{LAMP_FOCUS:g}", aperture) for aperture in LAMP_APERTURES]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def groups(self) -> list[list[int]]:
        """Indices of the items of each scene, of each chart, and of the lamps: what one process must see."""
        found: dict[int, list[int]] = {}
        for index, (number, *_) in enumerate(self.items):
            found.setdefault(number, []).append(index)
        return list(found.values())

    @one_thread()
    def __getitem__(self, index: int) -> Item:
        """``image``, ``bokeh`` (exact), ``disparity`` (true), ``focus``, ``aperture``, ``name``."""
        number, plane, aperture = self.items[index]
        scene = scene_of(self.scenes, number)
        focus = self.focus(scene, plane)
        name = f"scene-{number:03d}" if number >= 0 else LAMPS if number < -CHARTS else f"chart-{-1 - number}"
        return {
            "image": eight_bit(scene.picture(0.0)),
            "bokeh": eight_bit(scene.picture(aperture, focus)),
            "disparity": scene.disparity(),
            "focus": torch.tensor(focus),
            "aperture": torch.tensor(aperture),
            "name": f"{name}/{plane}/{aperture:02g}",
        }

    @staticmethod
    def focus(scene: Scene, plane: str) -> float:
        """Disparity of the front object, the mean of the background's, or the number that ``plane`` is."""
        if plane == "front":
            return scene.foregrounds[1].disparity
        if plane == "background":
            crop = slice(scene.margin, -scene.margin)
            return float(scene.backdrop_disparity.expand(scene.backdrop.shape[1:])[crop, crop].mean())
        return float(plane)


@lru_cache(maxsize=1)  # the items of a scene follow each other
def scene_of(scenes: SyntheticScenes, number: int) -> Scene:
    """Scene ``number``; below 0 the charts, then the lamps."""
    if number >= 0:
        return scenes.scene(number)[0]
    return lamps(scenes.options) if number < -CHARTS else chart(-1 - number, scenes.options)


#: Of one scene.
_SWEEPS = [("front", 0.0), *((plane, aperture) for plane in PLANES for aperture in APERTURES)]


def chart(number: int, options: SceneOptions) -> Scene:
    """A textured wall whose disparity rises from 0 to 1, across for even numbers and upwards for odd ones."""
    height, width, margin = options.height, options.width, options.margin
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((7, number))))
    backdrop = Procedural().backdrop(rng, height + 2 * margin, width + 2 * margin)
    size = width if number % 2 == 0 else height
    along = ((torch.arange(size + 2 * margin) - margin) / (size - 1)).clamp(0, 1)
    disparity = along[None, :] if number % 2 == 0 else along.flip(0)[:, None]
    return _wall(backdrop, disparity, margin)


def lamp_places(size: int) -> Tensor:
    """Row and column of the 9 lamps of a picture of ``size`` px: 9 2."""
    third = size // 3
    axis = torch.arange(3) * third + third // 2
    return torch.cartesian_prod(axis, axis)


def lamps(options: SceneOptions) -> Scene:
    """3 x 3 white lamps on a dark wall of one disparity."""
    size, margin = options.height, options.margin
    disk = area_disk(LAMP_RADIUS)
    disk = disk / disk.max()  # the middle pixel is covered
    light = torch.full((size + 2 * margin, size + 2 * margin), WALL_LIGHT)
    for y, x in (lamp_places(size) + margin).tolist():
        light[y - 2 : y + 3, x - 2 : x + 3] += (1 - WALL_LIGHT) * disk
    return _wall(light.expand(3, -1, -1), torch.tensor(WALL), margin)


def _wall(backdrop: Tensor, disparity: Tensor, margin: int) -> Scene:
    """A scene without objects."""
    nothing = Foreground(torch.zeros(4, 0, 0), 0, 0, 0.0)
    return Scene(backdrop, disparity, (nothing, nothing), 0.5, margin, linear_light=True)


def eight_bit(picture: Tensor) -> Tensor:
    """As a file holds it."""
    return picture.mul(255).round().div(255)


class Control(BokehDataModule):
    """What ``test --control`` renders: each scene on two focal planes with six apertures, charts and lamps.

    Args:
        size: side of the pictures in pixels. Apertures and what is measured were tried at 320.
        scenes: how many.
        scene_seed: other scenes.
        num_workers, sampling_seed: see :class:`BokehDataModule`.

    Raises:
        BokehbenchError: an option out of range.
    """

    synthetic = True
    recorder = "bokehbench.measure.control.ControlRecorder"

    def __init__(
        self,
        size: int = 320,
        scenes: int = 8,
        scene_seed: int = 0,
        num_workers: int | None = None,
        sampling_seed: int = 0,
    ) -> None:
        super().__init__(None, num_workers, sampling_seed)
        check_options(
            "--data.",
            ("size", size, 96 <= size <= 2048, "96 to 2048 pixels"),
            within("scenes", scenes, 1, 1e5),
            within("scene_seed", scene_seed, 0),
        )
        self.size, self.scenes, self.seed = size, scenes, scene_seed

    def build(self) -> None:
        """Set the test split; there is no other."""
        options = SceneOptions(
            self.size, self.size, max(APERTURES), self.seed, disparity_input="clean", highlight_gain=0.0
        )
        procedural = Procedural()
        self.test_set = ControlItems(SyntheticScenes("test", self.scenes, options, procedural, procedural), self.scenes)

    def test_dataloader(self) -> PictureLoader:
        """Items one at a time, each scene's on one rank and in order."""
        pictures = self._require("test")
        assert isinstance(pictures, ControlItems)
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)
        order = [index for group in pictures.groups[rank::ranks] for index in group]
        return self._loader(pictures, batch_size=1, sampler=order)
