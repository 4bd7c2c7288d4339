"""What all kinds of phone files give: a disparity map in the file's own scale, and pictures out of bytes."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from bokehbench.data.decoding import MAX_PIXELS, PIXELS_PER_BYTE, orientation, same_shape, upright
from bokehbench.data.maps import plane_of
from bokehbench.data.pixels import to_srgb_pixels
from bokehbench.errors import BokehbenchError

#: Units of disparity: per metre; per the unit of the file, which it does not name; of no scale at all.
METRIC, UNNAMED, RELATIVE = "1/m", "1/unit", "relative"


class NoDepth(BokehbenchError):
    """A file without a depth map, or whose original is missing: left out, but nothing is wrong with it."""


@dataclass(frozen=True)
class Depth:
    """The depth of a phone file, and what came with it; all pictures as seen.

    Attributes:
        form: how the file stores it, in words.
        values: disparity, H W float32, larger = nearer; NaN where it is missing.
        unit: :data:`METRIC`, :data:`UNNAMED` or :data:`RELATIVE`.
        accuracy: ``absolute`` or ``relative`` as the file says; empty where it does not.
        original: H W 3, sRGB: the unblurred photo inside the file.
        matte: H W uint8, 255 = subject.
        focus: (x, y) in [0, 1] of the picture.
        more: columns of the table that the file fills.
    """

    form: str
    values: np.ndarray
    unit: str
    accuracy: str
    original: np.ndarray | None = None
    matte: np.ndarray | None = None
    focus: tuple[float, float] | None = None
    more: Mapping[str, float] = field(default_factory=dict)

    def fitting(self, size: tuple[int, int]) -> "Depth":
        """Itself, where it has a value and the shape of the photo (height, width), to 2 %.

        Raises:
            BokehbenchError: another shape.
            NoDepth: no value.
        """
        if not np.isfinite(self.values).any():
            raise NoDepth("no pixel of its depth map has a value.")
        if not same_shape(self.values.shape, size):
            raise BokehbenchError(
                f"its depth map of {self.values.shape[1]} x {self.values.shape[0]} does not fit its photo of {size[1]} "
                f"x {size[0]}, it is turned or cropped otherwise: export the photo again, unedited."
            )
        return self


def open_inside(content: bytes) -> ImageFile:
    """A decoded JPEG or PNG that lies inside a file; ValueError or OSError: neither, too large, or cut short."""
    try:
        image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
    except Image.UnidentifiedImageError as error:
        raise ValueError("a picture inside it is no JPEG or PNG") from error
    if image.width * image.height > min(MAX_PIXELS, len(content) * PIXELS_PER_BYTE[image.format or "JPEG"]):
        raise ValueError(f"a picture inside it claims {image.width} x {image.height} pixels")
    image.load()
    return image


def codes_inside(content: bytes) -> np.ndarray:
    """A map inside a file as H W float32 in [0, 1]: its codes by the largest that they can be."""
    values, largest = plane_of(open_inside(content), "a map inside it")
    if largest is None:
        raise ValueError("a map inside it has numbers without a largest code")
    return values.astype(np.float32) / np.float32(largest)


def photo_inside(content: bytes, size: tuple[int, int], turn: int) -> np.ndarray:
    """A photo inside a file, H W 3 in sRGB, turned by its own EXIF or else, ``turn``, as its file.

    Raises:
        ValueError: no picture, or one of another shape than ``size``, (height, width) as seen of the file's own.
    """
    image = open_inside(content)
    colours = to_srgb_pixels(image).over_white().colours
    own = orientation(image)
    for way in (turn if own == 1 else own, 1):
        if same_shape(upright(colours, way).shape[:2], size):
            return upright(colours, way)
    raise ValueError(f"the photo inside it of {image.width} x {image.height} does not fit {size[1]} x {size[0]}")


def inverse(depth: np.ndarray) -> np.ndarray:
    """1 / depth, NaN where that is not positive and finite."""
    known = np.isfinite(depth) & (depth > 0)
    return np.where(known, 1 / np.where(known, depth, 1), np.nan).astype(np.float32)
