"""Photos and maps that are in memory already: what files are to the command line, these are to Python."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bokehbench.data.decoding import FORMATS, orientation, upright
from bokehbench.data.image_io import Photo, read_photo, to_tensor
from bokehbench.data.maps import LARGEST, fitting, plane_of, stored_map, unit_range
from bokehbench.data.pixels import to_srgb_pixels
from bokehbench.errors import BokehbenchError
from bokehbench.optics.disparity import Disparity, Unit

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
    planes = _planes(source, "The photo")
    if len(planes) not in (1, 3):
        raise BokehbenchError(f"The photo has {len(planes)} channels: give 3, RGB, or 1.")
    return Photo(planes.expand(3, -1, -1).contiguous())


def map_of(
    source: Source, size: tuple[int, int], what: str = "disparity map", photo: Source | None = None
) -> tuple[Tensor, tuple[str, ...]]:
    """A map of any kind for a photo of ``size`` (height, width): 1 h w in [0, 1] at its own size, and notes.

    Args:
        source: a file as :func:`~bokehbench.data.maps.open_map` takes it, else as :func:`photo_of`, one channel. Floats
            of any other range are stretched to [0, 1], as those of files are.
        size: of the photo.
        what: it is, for errors.
        photo: what the map belongs to; a file or a Pillow image says how it is turned.

    Raises:
        BokehbenchError: unreadable, of several channels, of another shape than the photo, NaN or infinite values.
    """
    values, largest, notes = _stored(source, size, f"The {what}", photo)
    scaled, more = unit_range(values, largest, f"{source}" if isinstance(source, str | Path) else f"The {what}")
    return scaled, notes + more


def disparity_of(
    source: Source, size: tuple[int, int], unit: Unit | None = None, photo: Source | None = None
) -> tuple[Disparity, tuple[str, ...]]:
    """A disparity map of any kind as :func:`map_of` reads it, with what its numbers mean; and notes.

    Args:
        source, size, photo: as :func:`map_of`.
        unit: of the numbers, and then the map is metric; None: it is relative, larger = nearer.

    Raises:
        BokehbenchError: as :func:`map_of`, without those of missing values, and as :meth:`Disparity.measured`; whole
            numbers of 8 or 16 bits cannot be 1/m.
    """
    if unit is None:
        values, notes = map_of(source, size, photo=photo)
        return Disparity(values, "relative"), notes
    stored, largest, notes = _stored(source, size, "The disparity map", photo)
    name = f"{source}" if isinstance(source, str | Path) else "The disparity map"
    if unit == "1/m" and largest is not None:
        raise BokehbenchError(f"{name}: holds whole numbers, which cannot be 1/m: give floats (.npy, .tif, .pfm).")
    try:
        return Disparity.measured(torch.from_numpy(np.array(stored, dtype=np.float32))[None], unit), notes
    except BokehbenchError as error:
        raise BokehbenchError(f"{name}: {error}") from error


def _stored(
    source: Source, size: tuple[int, int], what: str, photo: Source | None
) -> tuple[np.ndarray, float | None, tuple[str, ...]]:
    """H W numbers as seen; the largest that the format can hold (None: any); notes."""
    belongs = Path(photo) if isinstance(photo, str | Path) else photo if isinstance(photo, Image.Image) else None
    if isinstance(source, str | Path):
        return stored_map(Path(source), size, belongs)
    turned = 1
    if isinstance(source, Image.Image):
        turned = orientation(source)
        values, largest = plane_of(source, what)
    else:
        planes = _array(source, what)
        if len(planes) != 1:
            raise BokehbenchError(f"{what} has {len(planes)} channels: give one.")
        values, largest = planes[0], LARGEST.get(planes.dtype.name)
    values, notes = fitting(values, what, size, belongs, turned)
    return values, largest, notes


def _array(values: np.ndarray | Tensor, what: str) -> np.ndarray:
    """C H W, of the numbers that were given."""
    channels_first = isinstance(values, Tensor)
    try:
        if isinstance(values, Tensor):
            values = values.detach().cpu()
            values = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # sparse, quantised, without values, of several lengths
        raise BokehbenchError(f"{what} is no array of numbers ({str(error).rstrip('.')}): give one.") from error
    if channels_first and array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[None] if channels_first else array[..., None]
    if array.ndim != 3 or not array.size or array.dtype.kind not in "fiub":
        raise BokehbenchError(f"{what} has the shape {array.shape}: give one, H W 3 as array or 3 H W as tensor.")
    return array if channels_first else array.transpose(2, 0, 1)


def _planes(values: np.ndarray | Tensor, what: str) -> Tensor:
    """C H W float32 in [0, 1]."""
    array = _array(values, what)
    if array.dtype in (np.uint8, np.uint16):
        return to_tensor(array.transpose(1, 2, 0))
    planes = torch.from_numpy(np.array(array, dtype=np.float32))
    if not (planes.isfinite().all() and planes.min() >= -1e-6 and planes.max() <= 1 + 1e-6):
        low, high = float(planes.min()), float(planes.max())
        raise BokehbenchError(f"{what} has values from {low:g} to {high:g}: give floats in [0, 1], or uint8.")
    return planes.clamp_(0, 1)
