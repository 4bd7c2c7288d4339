"""SyntheticDoF: scenes with exact shallow depth of field, made on the fly; needs no files."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from bokehbench.data.augment import Item, Window, fit_view, random_window
from bokehbench.data.base import BokehDataModule, PictureSet
from bokehbench.data.one_thread import one_thread
from bokehbench.data.sampling import Draw, TrainingPlan
from bokehbench.data.synthetic.corruption import corrupt
from bokehbench.data.synthetic.procedural import BackdropSource, ObjectSource, Procedural
from bokehbench.data.synthetic.scene import APERTURE_SHARE, FOCUS_ON, FocusOn, Scene, SceneOptions, draw_scene
from bokehbench.data.synthetic.sources import FEWEST_TO_SPLIT, Cutouts, Photos, list_cutouts, list_files, split_files
from bokehbench.errors import check_options, within

#: A split's number is part of every sample's seed.
SPLIT_NUMBERS = {"train": 0, "val": 1, "test": 2}
#: A wider blur than this share of the long side would need a canvas several times the frame.
LARGEST_APERTURE_SHARE = 0.5


@dataclass(eq=False)
class SyntheticScenes(PictureSet):
    """One split: sample i depends on (seed, split, i) and the options alone."""

    split: str
    length: int
    options: SceneOptions
    backdrops: BackdropSource
    objects: ObjectSource
    sides: tuple[int, int] | None = None
    detail: float = 0.0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Item:
        """All keys of :class:`bokehbench.batch.Batch` at the scenes' size (without ``true_disparity`` if clean)."""
        if not -self.length <= index < self.length:
            raise IndexError(f"scene {index} of {self.length}")
        return self._item(index % self.length)

    def training_item(self, draw: Draw, plan: TrainingPlan, generator: torch.Generator) -> Item:
        """As the base class makes it, but without rendering what ``plan`` crops away or does not want."""
        bokeh, view, options = plan.wants("bokeh"), plan.view, self.options_of(draw.index)
        if view.kind == "crop" and view.height <= options.height and view.width <= options.width:
            window = random_window(options.height, options.width, view, generator)
            return self._item(draw.index, window, bokeh)
        return fit_view(self._item(draw.index, bokeh=bokeh), view, generator)

    def problems(self, deep: bool = False) -> list[str]:
        """One sentence per bad file of the users' own backgrounds and cut-outs."""
        sources = (self.backdrops, self.objects)
        return [problem for s in sources if isinstance(s, Photos | Cutouts) for problem in s.problems(deep)]

    def options_of(self, index: int) -> SceneOptions:
        """Scene ``index``'s: with the split's detail, and a side of its own where ``sides`` are given."""
        options = replace(self.options, detail=self.detail)
        if self.sides is None:
            return options
        seed = (self.options.seed, SPLIT_NUMBERS[self.split], index, 1)
        side = int(np.random.default_rng(seed).integers(self.sides[0], self.sides[1] + 1))
        return replace(options, height=side, width=side)

    def aperture_of(self, index: int) -> float:
        """Scene ``index``'s aperture in pixels: all else is the same scene for any range."""
        low, high = self.options.smallest_aperture, self.options.aperture
        if low is None:
            return high
        seed = (self.options.seed, SPLIT_NUMBERS[self.split], index, 2)
        return float(np.random.default_rng(seed).uniform(low, high))

    def scene(self, index: int) -> tuple[Scene, np.random.Generator]:
        """Scene ``index``, and its generator for what is drawn after it."""
        seed = np.random.SeedSequence((self.options.seed, SPLIT_NUMBERS[self.split], index))
        rng = np.random.Generator(np.random.PCG64(seed))
        return draw_scene(rng, self.options_of(index), self.backdrops, self.objects), rng

    @one_thread()
    def _item(self, index: int, window: Window | None = None, bokeh: bool = True) -> Item:
        options = self.options_of(index)
        scene, rng = self.scene(index)
        regions = scene.regions()
        maps = {"disparity": scene.disparity(regions), "mask": (regions[0] | regions[1]).float()[None]}
        if options.disparity_input == "corrupted":
            scale = max(options.height, options.width) / 320
            corrupted = [corrupt(rng, region, scale, options.corruption_probability) for region in regions]
            maps["true_disparity"] = maps["disparity"]
            maps["disparity"] = scene.disparity(corrupted)
        low, span = 0.0, 1.0
        if options.disparity_scale == "minmax":
            true = maps.get("true_disparity", maps["disparity"])
            low, span = float(true.min()), float(true.max() - true.min()) or 1.0
            for key in maps.keys() & {"disparity", "true_disparity"}:
                maps[key] = ((maps[key] - low) / span).clamp(0, 1)
        if window is not None:
            maps = {key: window.of(value).contiguous() for key, value in maps.items()}
            scene = scene.window(*window)
        item: Item = {"image": scene.picture(0.0), **maps}
        aperture = self.aperture_of(index)
        if bokeh:
            item["bokeh"] = scene.picture(aperture)
        item["focus"] = torch.tensor((scene.focus - low) / span, dtype=torch.float32)
        item["aperture"] = torch.tensor(aperture * span, dtype=torch.float32)
        item["name"] = f"synthetic-{self.split}-{index:06d}"
        return item


class SyntheticDoF(BokehDataModule):
    """Synthetic shallow depth of field after DeepLens (Wang et al. 2018, Sec. 4.2), exact at occlusions.

    See docs/data/synthetic_dof.md for what is the paper's and what is ours.

    Args:
        size: side of the square scenes in pixels, or height and width.
        aperture: blur radius in pixels of the scene at a disparity difference of 1; None = 0.025 times the long side
            (8 at 320, 16 at 640, as DeepLens' configuration suggests); two numbers = each scene has its own, uniform
            between them, so that a method can learn what another aperture looks like.
        train_sides: smallest and largest side of the training scenes, which are then square and of any side between;
            the aperture stays. None = all of ``size``.
        train_detail: largest relative contrast of pixel-fine detail on the surfaces of training scenes, 0 to 1, so that
            a method learns to keep what photos have of it; None = none.
        train_samples, val_samples, test_samples: scenes per split; the paper has 18,000 for training and 500 for test.
        scene_seed: other scenes, the same in every split.
        disparity_input: "corrupted" = foregrounds' disparity dilated or eroded at random (paper), with the true one
            in ``true_disparity``; "clean" = the true one.
        linear_light: blur and composite in linear light, else in gamma-encoded values.
        highlight_gain: radiance of the brightest small lights, white being 1; 0 = no lights. Only linear light keeps
            what is above white.
        slope_probability: share of scenes whose background slopes; the others' lies at disparity 0.
        corruption_probability: chance of each foreground to be dilated or eroded.
        backgrounds: folder of photos to use instead of procedural backgrounds.
        cutouts: folder of RGBA pictures, or of photos with masks, to use instead of procedural objects.
        focus_on: the plane in focus: "random" (paper), or in all scenes the "front" object, the "middle" one or a
            random place of the "background". A method that guesses the focus from the picture (D2F, PyNET) cannot
            learn a random one.
        disparity_scale: None = as the scene was drawn; "minmax" = each scene's disparity stretched to [0, 1], as depth
            networks and DeepLens do, focus with it and the aperture against it: blur and target stay the same.
        num_workers, sampling_seed: see :class:`BokehDataModule`.

    Raises:
        BokehbenchError: an option out of range; at ``setup``, a folder without usable pictures.
    """

    synthetic = True
    not_settings = (*BokehDataModule.not_settings, "train_samples", "val_samples")

    def __init__(
        self,
        size: int | tuple[int, int] = 320,
        aperture: float | tuple[float, float] | None = None,
        train_sides: tuple[int, int] | None = None,
        train_detail: float | None = None,
        train_samples: int = 18_000,
        val_samples: int = 100,
        test_samples: int = 500,
        scene_seed: int = 0,
        disparity_input: Literal["corrupted", "clean"] = "corrupted",
        linear_light: bool = True,
        highlight_gain: float = 16.0,
        slope_probability: float = 0.5,
        corruption_probability: float = 0.75,
        backgrounds: Path | str | None = None,
        cutouts: Path | str | None = None,
        focus_on: FocusOn = "random",
        disparity_scale: Literal["minmax"] | None = None,
        num_workers: int | None = None,
        sampling_seed: int = 0,
    ) -> None:
        super().__init__(None, num_workers, sampling_seed)
        height, width = (size, size) if isinstance(size, int) else size
        usual = APERTURE_SHARE * max(height, width)
        narrow, wide = (
            aperture if isinstance(aperture, list | tuple) else (None, usual if aperture is None else aperture)
        )
        self.samples = {"train": train_samples, "val": val_samples, "test": test_samples}
        self.backgrounds, self.cutouts = backgrounds, cutouts
        self.train_sides, self.train_detail = train_sides, train_detail
        shortest, longest = train_sides or (min(height, width), max(height, width))
        largest = LARGEST_APERTURE_SHARE * min(max(height, width), longest)
        check_options(
            "--data.",
            ("size", (height, width), 16 <= min(height, width) <= max(height, width) <= 8192, "16 to 8192 pixels"),
            (
                "train_sides",
                train_sides,
                16 <= shortest <= longest <= 8192,
                "two sides of 16 to 8192 pixels, the smaller first",
            ),
            ("train_detail", train_detail, 0 <= (train_detail or 0) <= 1, "0 to 1"),
            (
                "aperture",
                aperture,
                0 <= (narrow or 0) <= wide <= largest,
                f"0 to {largest:g} pixels, or two such numbers, the smaller first",
            ),
            within("scene_seed", scene_seed, 0),
            ("disparity_input", disparity_input, disparity_input in ("corrupted", "clean"), "corrupted or clean"),
            ("focus_on", focus_on, focus_on in FOCUS_ON, "random, middle, front or background"),
            ("disparity_scale", disparity_scale, disparity_scale in (None, "minmax"), "minmax, or left out"),
            within("highlight_gain", highlight_gain, 0, 1e4),
            ("slope_probability", slope_probability, 0 <= slope_probability <= 1, "0 to 1"),
            ("corruption_probability", corruption_probability, 0 <= corruption_probability <= 1, "0 to 1"),
            *(within(f"{split}_samples", n, 1, 1e7) for split, n in self.samples.items()),
        )
        self.options = SceneOptions(
            height, width, float(wide), scene_seed, disparity_input, linear_light, highlight_gain, slope_probability,
            corruption_probability, focus_on, disparity_scale,
            smallest_aperture=None if narrow is None else float(narrow),
        )  # fmt: skip

    def build(self) -> None:
        """Set the splits; lists the files of the users' folders, if there are any."""
        procedural = Procedural()
        photos = [] if self.backgrounds is None else list_files(self.backgrounds, "--data.backgrounds")
        cutouts, found = ([], []) if self.cutouts is None else list_cutouts(self.cutouts, "--data.cutouts")
        masked = "cutouts, photos with masks," if cutouts and not isinstance(cutouts[0], Path) else "cutouts"
        for files, what, folder in ((photos, "backgrounds", self.backgrounds), (cutouts, masked, self.cutouts)):
            few = len(files) < FEWEST_TO_SPLIT
            shared = "all splits share them" if few else "a tenth each is kept for val and test"
            self.notes += [f"{len(files)} {what} from {folder}; {shared}"] if files else []
        for split, length in self.samples.items():
            backdrops = Photos(split_files(photos, split)) if photos else procedural
            objects = Cutouts(split_files(cutouts, split), found) if cutouts else procedural
            sides, detail = (self.train_sides, self.train_detail or 0.0) if split == "train" else (None, 0.0)
            setattr(
                self, f"{split}_set", SyntheticScenes(split, length, self.options, backdrops, objects, sides, detail)
            )
