"""A split made of files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bokehbench.data.augment import Item, Window, fit_view, random_window, resize
from bokehbench.data.base import PictureSet
from bokehbench.data.checks import record_problems
from bokehbench.data.focus import FocusRule
from bokehbench.data.folders import Record
from bokehbench.data.image_io import to_tensor
from bokehbench.data.maps import read_map
from bokehbench.data.pixels import read_pixels
from bokehbench.data.sampling import NATIVE, Draw, TrainingPlan, View
from bokehbench.errors import BokehbenchError
from bokehbench.optics.disparity import minmax


class RecordSet(PictureSet):
    """Pictures of a list of :class:`Record`: whole, native size, disparity stretched to [0, 1] per picture.

    Args:
        records: what to read.
        rule: focus and aperture of records with a disparity that do not have their own.
        found: problems met while listing the files; reported with those of the files themselves.
    """

    def __init__(self, records: Sequence[Record], rule: FocusRule | None = None, found: Sequence[str] = ()) -> None:
        self.records = list(records)
        self.rule = rule or FocusRule()
        self.found = list(found)
        #: What the last check of the files found that users should know.
        self.notes: list[str] = []

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Item:
        return self.load(index)

    def training_item(self, draw: Draw, plan: TrainingPlan, generator: torch.Generator) -> Item:
        """See :meth:`PictureSet.training_item`; files of keys that the plan does not want are not read."""
        return fit_view(self.load(draw.index, plan.view, generator, plan.keys), plan.view, generator)

    def problems(self, deep: bool = False) -> list[str]:
        """One sentence per problem; reads every pixel where ``deep``."""
        problems, self.notes = record_problems(self.records, self.load if deep else None)
        return self.found + problems

    def load(
        self,
        index: int,
        view: View = NATIVE,
        generator: torch.Generator | None = None,
        keys: Sequence[str] | None = None,
    ) -> Item:
        """The item; only ``keys`` (None = all). Where ``view`` is a crop that fits, only its window becomes floats.

        Raises:
            BokehbenchError: a file cannot be read, or input and target differ in size.
        """
        record = self.record(index)
        # Focus and aperture are estimated from disparity and mask.
        sources = () if keys is None or not {"focus", "aperture"} & set(keys) else ("disparity", "mask")
        files = {key: path for key, path in record.files.items() if keys is None or key in (*keys, *sources)}
        pixels = self.read(record.files["image"])
        height, width = pixels.shape[:2]
        window = Window(0, 0, height, width)
        if view.kind == "crop" and height >= view.height and width >= view.width:
            window = random_window(height, width, view, generator or torch.default_generator)
        item: Item = {"name": record.name, "image": to_tensor(pixels[window.slices])}
        if "bokeh" in files:
            target = self.read(files["bokeh"])
            if target.shape != pixels.shape:
                raise BokehbenchError(
                    f"{record.files['image']} is {width} x {height} but its bokeh {files['bokeh']} is "
                    f"{target.shape[1]} x {target.shape[0]}: they must match."
                )
            item["bokeh"] = to_tensor(target[window.slices])
        maps = {key: self.load_map(record, key, height, width) for key in ("disparity", "mask") if key in files}
        if record.focus is not None:
            item["focus"] = torch.tensor(record.focus)
        elif "disparity" in maps or self.rule.focus is not None:
            item["focus"] = self.rule.focus_of(maps.get("disparity"), maps.get("mask"))
        # An aperture says nothing to a method that does not know where the focus is
        aperture = self.rule.aperture_of(height, record.f_number) if "focus" in item else None
        aperture = aperture if record.aperture is None else torch.tensor(record.aperture)
        if aperture is not None:
            item["aperture"] = aperture
        if record.f_number is not None:
            item["f_number"] = torch.tensor(record.f_number)
        item.update({key: window.of(value) for key, value in maps.items()})
        return item

    def record(self, index: int) -> Record:
        """The record of a picture, with its own focus and aperture where these are known."""
        return self.records[index]

    def read(self, path: Path) -> np.ndarray:
        """A picture as H W 3 uint8 or uint16, gamma-encoded, full range."""
        return read_pixels(path)

    def load_map(self, record: Record, key: str, height: int, width: int) -> torch.Tensor:
        """The record's disparity or mask, 1 height width in [0, 1]; a map of other size is resized to the picture."""
        values = read_map(record.files[key], (height, width), record.files["image"])
        if key != "disparity":
            return resize(values, height, width, smooth=True)
        # Stretched at the smaller size: enlarging then keeps what the file holds, and shrinking spans [0, 1] too
        if values.shape[-1] < width:
            return resize(minmax(values), height, width, smooth=True)
        return minmax(resize(values, height, width, smooth=True))
