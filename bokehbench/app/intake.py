"""Files that people drop: what cannot be rendered is refused in one sentence, before its pixels are decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from bokehbench.data.decoding import open_header, picture_size, readable
from bokehbench.data.image_io import Photo, read_map, read_photo
from bokehbench.errors import BokehbenchError

MAX_MEGAPIXELS = 100
#: Networks halve a picture up to five times.
MIN_SIDE = 32
MAX_ASPECT = 20
#: Some of Pillow's other formats start programs (EPS) or read further files: nothing for a server.
FORMATS = frozenset({"JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "DIB", "PPM"})
#: Bytes of an uploaded file: 100 megapixels of 16-bit RGB.
MAX_BYTES = MAX_MEGAPIXELS * 6 * 10**6


def read_upload(path: Path) -> Photo:
    """A dropped photo as :func:`bokehbench.data.image_io.read_photo` reads it for ``render``.

    Raises:
        BokehbenchError: no picture, corrupt, or of an absurd size; the message names the file, not its folder.
    """
    try:
        _check(path, "a picture")
        return read_photo(path)
    except BokehbenchError as error:
        raise by_name(error, path) from error


def read_map_upload(path: Path) -> Tensor:
    """A dropped disparity map, 1 H W in [0, 1], bright = near; read as ``render --disparity`` does.

    Raises:
        BokehbenchError: see :func:`read_upload`; colour, NaN, or values outside [0, 1].
    """
    try:
        if path.suffix.lower() == ".npy":
            _check_array(path)
        else:
            _check(path, "a map")
        return read_map(path)
    except BokehbenchError as error:
        raise by_name(error, path) from error


def _check_array(path: Path) -> None:
    with readable(path, "a map"):
        size = [side for side in np.load(path, mmap_mode="r", allow_pickle=False).shape if side != 1]
    _check_size(path, *size)


def _check(path: Path, what: str) -> None:
    with readable(path, what), open_header(path) as image:
        if image.format not in FORMATS:
            raise Image.UnidentifiedImageError
    _check_size(path, *picture_size(path))


def _check_size(path: Path, *size: int) -> None:
    height, width = size if len(size) == 2 else (0, 0)
    if min(height, width) < MIN_SIDE:
        raise BokehbenchError(f"{path}: is {width} x {height} pixels: give one of at least {MIN_SIDE} x {MIN_SIDE}.")
    if height * width > MAX_MEGAPIXELS * 10**6:
        millions = height * width / 10**6
        raise BokehbenchError(
            f"{path}: has {millions:.0f} megapixels: make it smaller than {MAX_MEGAPIXELS} megapixels first."
        )
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise BokehbenchError(
            f"{path}: is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide: crop it first."
        )


def by_name(error: BokehbenchError, path: Path) -> BokehbenchError:
    """The same sentence without the folder on the server, which is nobody's business."""
    return BokehbenchError(str(error).replace(str(path), path.name))
