"""Paired augmentation: every picture of an item is cropped, resized, flipped and turned alike, in this one place."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from bokehbench.batch import PICTURE_KEYS
from bokehbench.data.sampling import TrainingPlan, View

#: One picture of a data set: CHW tensors under PICTURE_KEYS, 0-dim ``focus`` and ``aperture``, ``name``.
Item = dict[str, Any]


class Window(NamedTuple):
    """A rectangle of ``height`` x ``width`` pixels whose first pixel is (``top``, ``left``)."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def of(self, picture: Tensor) -> Tensor:
        """The window of a ... H W tensor (a view, not a copy)."""
        return picture[..., *self.slices]

    def grown(self, margin: int, height: int, width: int) -> Window:
        """The window with ``margin`` more pixels on each side, as far as a picture of height x width has them."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        bottom = min(height, self.top + self.height + margin)
        right = min(width, self.left + self.width + margin)
        return Window(top, left, bottom - top, right - left)

    def within(self, outer: Window) -> Window:
        """This window in the coordinates of ``outer``."""
        return Window(self.top - outer.top, self.left - outer.left, self.height, self.width)


def randint(generator: torch.Generator, high: int) -> int:
    """A uniform integer in 0 .. high - 1."""
    return int(torch.randint(high, (), generator=generator))


def uniform(generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> float:
    """A uniform float in [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def random_window(height: int, width: int, view: View, generator: torch.Generator) -> Window:
    """A uniformly drawn window of ``view``'s size in a picture of height x width that is at least as large."""
    top, left = (
        randint(generator, spare // view.step + 1) * view.step for spare in (height - view.height, width - view.width)
    )
    return Window(top, left, view.height, view.width)


def resize(picture: Tensor, height: int, width: int, *, smooth: bool = False) -> Tensor:
    """C H W in [0, 1] to C height width in [0, 1]: antialiased bicubic, or bilinear where ``smooth``.

    Antialiasing is PIL's: the filter widens with the reduction. Bicubic overshoot is clipped.
    """
    if picture.shape[-2:] == (height, width):
        return picture
    mode = "bilinear" if smooth else "bicubic"
    resized = F.interpolate(picture[None], (height, width), mode=mode, align_corners=False, antialias=True)
    return resized[0].clamp_(0, 1)


def size_of(item: Item) -> tuple[int, int]:
    """(height, width) of the item's pictures."""
    height, width = item["image"].shape[-2:]
    return height, width


def resize_item(item: Item, height: int, width: int) -> Item:
    """All pictures to height x width; the aperture, being in pixels, scales by sqrt(new area / old area)."""
    old_height, old_width = size_of(item)
    resized = {
        key: resize(value, height, width, smooth=key not in ("image", "bokeh")) if key in PICTURE_KEYS else value
        for key, value in item.items()
    }
    if "aperture" in resized:
        resized["aperture"] = item["aperture"] * math.sqrt(height * width / (old_height * old_width))
    return resized


def crop_item(item: Item, window: Window) -> Item:
    """All pictures cut to ``window``; focus and aperture stay."""
    return {key: window.of(value) if key in PICTURE_KEYS else value for key, value in item.items()}


def cover(item: Item, view: View) -> Item:
    """The item, enlarged (aspect ratio kept) where its pictures are smaller than ``view``."""
    height, width = size_of(item)
    scale = max(view.height / height, view.width / width)
    if scale <= 1:
        return item
    return resize_item(item, max(view.height, round(height * scale)), max(view.width, round(width * scale)))


def fit_view(item: Item, view: View, generator: torch.Generator) -> Item:
    """The item as ``view`` wants it: a random window, the whole picture resized, or untouched."""
    if view.kind == "native":
        return item
    if view.kind == "resize":
        return resize_item(item, view.height, view.width)
    item = cover(item, view)
    return crop_item(item, random_window(*size_of(item), view, generator))


def flip_and_turn(item: Item, plan: TrainingPlan, generator: torch.Generator) -> Item:
    """Random left-right flip and quarter turns, as ``plan`` says, the same for every picture of the item."""
    flip = plan.flips and uniform(generator) < 0.5
    turns = randint(generator, 4) if plan.quarter_turns else 0
    height, width = size_of(item)
    if height != width:
        turns = turns // 2 * 2  # an odd turn would change the shape, and a batch has one shape

    def move(picture: Tensor) -> Tensor:
        picture = picture.flip(-1) if flip else picture
        return torch.rot90(picture, turns, (-2, -1)) if turns else picture

    return {key: move(value) if key in PICTURE_KEYS else value for key, value in item.items()}
