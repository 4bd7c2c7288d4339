"""Files that people drop: what cannot be rendered is refused in one sentence, before its pixels are decoded."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from bokehbench.data.decoding import picture_size
from bokehbench.data.image_io import Photo, read_photo
from bokehbench.data.maps import open_map
from bokehbench.errors import BokehbenchError

T = TypeVar("T")
MAX_MEGAPIXELS = 100
#: Networks halve a picture up to five times.
MIN_SIDE = 32
MAX_ASPECT = 20
#: Bytes of an uploaded file: 100 megapixels of 16-bit RGB.
MAX_BYTES = MAX_MEGAPIXELS * 6 * 10**6


def read_upload(path: Path) -> Photo:
    """A dropped photo as :func:`bokehbench.data.image_io.read_photo` reads it for ``render``.

    Raises:
        BokehbenchError: no picture, corrupt, or of an absurd size; the message names the file, not its folder.
    """
    return _read(path, read_photo)


def read_map_upload(
    path: Path, size: tuple[int, int] | None = None, photo: Path | None = None
) -> tuple[Tensor, tuple[str, ...]]:
    """A dropped disparity map, 1 H W in [0, 1], bright = near, and notes; read as ``render --disparity`` does.

    ``size`` is the (height, width) of ``photo``; None: not known.

    Raises:
        BokehbenchError: see :func:`read_upload`; colour, NaN, or another shape.
    """
    try:
        return _read(path, lambda file: open_map(file, size, photo))
    except BokehbenchError as error:
        raise by_name(error, photo or path) from error


def _read(path: Path, read: Callable[[Path], T]) -> T:
    try:
        height, width = picture_size(path)
        remedy = None
        if min(height, width) < MIN_SIDE:
            remedy = f"is {width} x {height} pixels: give one of at least {MIN_SIDE} x {MIN_SIDE}"
        elif height * width > MAX_MEGAPIXELS * 10**6:
            millions = f"{height * width / 10**6:.0f} megapixels"
            remedy = f"has {millions}: make it smaller than {MAX_MEGAPIXELS} megapixels first"
        elif max(height, width) > MAX_ASPECT * min(height, width):
            remedy = f"is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide: crop it first"
        if remedy is not None:
            raise BokehbenchError(f"{path}: {remedy}.")
        return read(path)
    except BokehbenchError as error:
        raise by_name(error, path) from error


def by_name(error: BokehbenchError, path: Path) -> BokehbenchError:
    """The same sentence without the folder on the server, which is nobody's business."""
    return BokehbenchError(str(error).replace(str(path), path.name))
