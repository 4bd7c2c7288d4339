"""Photos and maps that are in memory already: what files are to the command line, these are to Python."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bokehbench.data.decoding import FORMATS, orientation, same_shape, upright
from bokehbench.data.image_io import Photo, read_map, read_photo, to_tensor
from bokehbench.data.pixels import to_srgb_pixels
from bokehbench.errors import BokehbenchError

#: A picture or a map: a file, a Pillow image, an array H W (C), or a tensor (1) (C) H W.
Source = str | Path | Image.Image | np.ndarray | Tensor


def photo_of(source: Source) -> Photo:
    """A photo of any kind, sRGB, upright.

    Args:
        source: a file or a Pillow image as :func:`~bokehbench.data.image_io.read_photo` takes them; an array H W 3 or
            H W, or a tensor 3 H W, 1 3 H W or H W, gamma-encoded sRGB: uint8 or uint16 of full range, or floats in
            [0, 1].

    Raises:
        BokehbenchError: unreadable, of another shape, or with values outside the range.
    """
    if isinstance(source, str | Path):
        return read_photo(source)
    if isinstance(source, Image.Image):
        turned = orientation(source)
        try:
            if source.format not in (None, "MPO", *FORMATS):  # Pillow starts programs for some
                raise ValueError(f"its format is {source.format}")
            pixels, _, profile, notes = to_srgb_pixels(source).over_white()
        except (ValueError, OSError) as error:  # floats outside [0, 1]; a file that Pillow has yet to decode
            raise BokehbenchError(f"The photo cannot be read ({str(error).rstrip('.')}): give another.") from error
        return Photo(to_tensor(upright(pixels, turned)), profile, None, notes)
    planes = _planes(source, "photo")
    if len(planes) not in (1, 3):
        raise BokehbenchError(f"The photo has {len(planes)} channels: give 3, RGB, or 1.")
    return Photo(planes.expand(3, -1, -1).contiguous())


def map_of(source: Source, size: tuple[int, int], what: str = "disparity map") -> Tensor:
    """A map of any kind for a photo of ``size`` (height, width): 1 h w in [0, 1] at its own size.

    Args:
        source: a file as :func:`~bokehbench.data.image_io.read_map` takes it, else as :func:`photo_of`, one channel.
        size: of the photo.
        what: it is, for errors.

    Raises:
        BokehbenchError: unreadable, of several channels, of another shape than the photo, or outside [0, 1].
    """
    planes = read_map(source) if isinstance(source, str | Path) else _planes(source, what)
    if len(planes) != 1:
        raise BokehbenchError(f"The {what} has {len(planes)} channels: give one.")
    if not same_shape(planes.shape[-2:], size):
        height, width = planes.shape[-2:]
        raise BokehbenchError(
            f"The {what} has {width} x {height} pixels, another shape than the photo's {size[1]} x {size[0]}: give one "
            "of the same picture."
        )
    return planes


def _planes(values: Image.Image | np.ndarray | Tensor, what: str) -> Tensor:
    """C H W float32 in [0, 1]."""
    channels_first = isinstance(values, Tensor)
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if channels_first and array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[None] if channels_first else array[..., None]
    if array.ndim != 3 or not array.size:
        raise BokehbenchError(f"The {what} has the shape {array.shape}: give one, H W 3 as array or 3 H W as tensor.")
    if array.dtype in (np.uint8, np.uint16):
        return to_tensor(array.transpose(1, 2, 0) if channels_first else array)
    planes = torch.from_numpy(np.array(array if channels_first else array.transpose(2, 0, 1), dtype=np.float32))
    if not (planes.isfinite().all() and planes.min() >= -1e-6 and planes.max() <= 1 + 1e-6):
        low, high = float(planes.min()), float(planes.max())
        raise BokehbenchError(f"The {what} has values from {low:g} to {high:g}: give floats in [0, 1], or uint8.")
    return planes.clamp_(0, 1)
