"""Splits of an RGB-D collection: disparity from depth, targets rendered on the fly."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bokehbench.data.augment import Item, Window, cover, crop_item, fit_view, randint, random_window, resize, uniform
from bokehbench.data.base import PictureSet
from bokehbench.data.folders import Record
from bokehbench.data.maps import read_values
from bokehbench.data.one_thread import one_thread
from bokehbench.data.records import RecordSet
from bokehbench.data.rendering import Renderer, render_reference
from bokehbench.data.saliency import turn_of
from bokehbench.data.sampling import Draw, TrainingPlan, draw_generator, index_of
from bokehbench.errors import BokehbenchError
from bokehbench.optics.disparity import depth_to_disparity, minmax

#: Pixels: apertures are given for square pictures of this side.
REFERENCE_SIDE = 1024


@dataclass(frozen=True)
class DepthReading:
    """What the numbers of a depth file mean: see :class:`bokehbench.data.IPhoneDepth`."""

    kind: Literal["depth", "disparity"]
    invalid: float | None

    def disparity(self, values: Tensor) -> Tensor:
        """1 H W raw values to disparity in [0, 1], 1 = nearest, by min-max; missing values (``invalid``) become 0.

        Raises:
            BokehbenchError: no pixel has a value.
        """
        if self.kind == "depth":
            return depth_to_disparity(values, self.invalid)
        measured = values.isfinite()
        if self.invalid is not None:
            measured &= values != self.invalid
        if not bool(measured.any()):
            raise BokehbenchError("no pixel has a value: check the file, and --data.invalid.")
        return minmax(values.where(measured, values[measured].min()))


class RGBDSet(RecordSet):
    """RGB-D pictures with ``targets`` at a focus and the largest aperture, fixed by the picture's name."""

    def __init__(
        self,
        records: Sequence[Record],
        found: Sequence[str],
        reading: DepthReading,
        renderer: Renderer,
        apertures_at_1024: tuple[float, float],
        targets: bool = True,
    ) -> None:
        super().__init__(records, found=found)
        self.reading, self.renderer, self.targets = reading, renderer, targets
        self.apertures_at_1024 = apertures_at_1024

    def __getitem__(self, index: int) -> Item:
        item = self.load(index)
        # The name, not the index: a picture keeps its target when others come or go.
        generator = draw_generator(0, zlib.crc32(item["name"].encode()))
        item = self.with_optics(item, generator, random_aperture=False)
        return self.rendered(item) if self.targets else item

    def load_map(self, record: Record, key: str, height: int, width: int) -> Tensor:
        """As in :class:`RecordSet`; ``disparity`` comes from the depth file."""
        if key != "disparity":
            return super().load_map(record, key, height, width)
        path = record.files[key]
        values = read_values(path, (height, width), record.files["image"])
        try:
            return minmax(resize(self.reading.disparity(values), height, width, smooth=True))
        except BokehbenchError as error:
            raise BokehbenchError(f"{path}: {error}") from error

    def with_optics(self, item: Item, generator: torch.Generator, random_aperture: bool) -> Item:
        """The item, focused on a random pixel; aperture uniform in the range, or the largest."""
        disparity = item["disparity"]
        height, width = disparity.shape[-2:]
        focus = disparity[0, randint(generator, height), randint(generator, width)].clone()
        low, high = self.apertures_at_1024
        aperture = uniform(generator, low, high) if random_aperture else high
        return item | {"focus": focus, "aperture": torch.tensor(aperture * math.sqrt(height * width) / REFERENCE_SIDE)}

    @one_thread()
    def rendered(self, item: Item, window: Window | None = None) -> Item:
        """The item, or its ``window``, with ``bokeh`` from the reference renderer, the same bits in every process."""
        image, disparity, focus, aperture = (item[key] for key in ("image", "disparity", "focus", "aperture"))
        bokeh = render_reference(image, disparity, focus, aperture, self.renderer, window)
        return (crop_item(item, window) if window else item) | {"bokeh": bokeh}

    def training_item(self, draw: Draw, plan: TrainingPlan, generator: torch.Generator) -> Item:
        """A draw with random optics; a crop shows what the whole picture's target has there, and only it is made."""
        item = self.with_optics(self.load(draw.index), generator, random_aperture=True)
        if not plan.wants("bokeh"):
            return fit_view(item, plan.view, generator)
        if plan.view.kind != "crop":
            return self.rendered(fit_view(item, plan.view, generator))
        item = cover(item, plan.view)
        height, width = item["image"].shape[-2:]
        return self.rendered(item, random_window(height, width, plan.view, generator))


class RGBDTrainingSet(PictureSet):
    """RGB-D pictures with saliency pictures mixed in, ``share`` of every batch; its length is the RGB-D pictures'."""

    def __init__(self, pictures: RGBDSet, saliency: RecordSet, share: float, seed: int) -> None:
        self.pictures, self.saliency, self.share, self.seed = pictures, saliency, share, seed
        self.records = pictures.records

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Item:
        return self.pictures[index]

    def problems(self, deep: bool = False) -> list[str]:
        """Of both kinds of pictures."""
        problems = self.pictures.problems(deep) + self.saliency.problems(deep)
        self.notes = [*self.pictures.notes, *self.saliency.notes]
        return problems

    def training_item(self, draw: Draw, plan: TrainingPlan, generator: torch.Generator) -> Item:
        """A saliency picture (no disparity, no target) at every turn of theirs, else an RGB-D picture.

        A stage that wants targets, or no masks, gets RGB-D pictures only.
        """
        if plan.wants("bokeh") or not plan.wants("mask"):
            return self.pictures.training_item(draw, plan, generator)
        salient, turn = turn_of(draw.number, self.share)
        source = self.saliency if salient else self.pictures
        index = index_of(self.seed, turn, len(source))
        return source.training_item(draw._replace(index=index), plan, generator)
