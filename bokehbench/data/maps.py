"""Maps (disparity, depth, masks): one reader, with one set of rules, for every verb, data set and provider."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bokehbench.data import exr
from bokehbench.data.decoding import (
    MAX_PIXELS,
    map_size,
    open_header,
    open_loaded,
    orientation,
    readable,
    turn_to_fit,
    upright,
)
from bokehbench.data.pixels import deep
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_atomic

#: The photo that a map belongs to: its file or Pillow image says how it is turned.
Photo = Path | Image.Image | None
#: Largest values of the kinds of numbers that have a full range.
LARGEST = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}


def read_values(path: str | Path, size: tuple[int, int] | None = None, photo: Photo = None) -> Tensor:
    """A one-channel file's raw numbers, 1 H W float32: metric depth, 16-bit integers as they are, NaN kept.

    Args:
        path: 1, 8, 16 or 32 bits, or floats (TIFF, PFM, NPY, EXR); equal channels count as one, alpha is left out.
        size: (height, width) of the photo, whose shape the map must have; None: not known.
        photo: the photo. The EXIF orientation of a map is applied; a map without one is turned as the photo is where
            it fits only so.

    Raises:
        BokehbenchError: unreadable, of another shape, or a colour picture (a colour-mapped depth has lost its values).
    """
    return torch.from_numpy(np.array(stored_map(Path(path), size, photo)[0], dtype=np.float32))[None]


def read_map(path: str | Path, size: tuple[int, int] | None = None, photo: Photo = None) -> Tensor:
    """A disparity map or mask as 1 H W float32 in [0, 1]: :func:`open_map` without its notes."""
    return open_map(path, size, photo)[0]


def open_map(
    path: str | Path, size: tuple[int, int] | None = None, photo: Photo = None
) -> tuple[Tensor, tuple[str, ...]]:
    """A disparity map or mask as 1 H W float32 in [0, 1], and notes on what was changed in reading.

    Read as :func:`read_values` does, then brought to [0, 1] by :func:`unit_range`, with the errors of both.
    """
    values, largest, notes = stored_map(Path(path), size, photo)
    scaled, more = unit_range(values, largest, str(path))
    return scaled, notes + more


def unit_range(values: np.ndarray, largest: float | None, what: str) -> tuple[Tensor, tuple[str, ...]]:
    """H W numbers as 1 H W float32 in [0, 1], and notes.

    Args:
        values: divided by ``largest``, where the format has a largest value; else they stay as they are in [0, 1], and
            are stretched to it from any other range.
        what: the map is, for the error.

    Raises:
        BokehbenchError: NaN or infinite values.
    """
    notes: tuple[str, ...] = ()
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise BokehbenchError(f"{what}: has NaN or infinite values: fill them, then read it again.")
    low, high = float(values.min()), float(values.max())
    if largest is not None:
        values = values / np.float32(largest)
    elif (low < -1e-6 or high > 1 + 1e-6) and high > low:
        values = ((values.astype(np.float64) - low) / (high - low)).astype(np.float32)
        notes = (f"its map of {low:g} to {high:g} was stretched to 0 to 1, larger = nearer",)
    elif low < -1e-6 or high > 1 + 1e-6:
        notes = (f"its map is {low:g} everywhere, taken as {min(max(low, 0), 1):g}",)
    return torch.from_numpy(np.ascontiguousarray(values))[None].clamp(0, 1), notes


def fitting(
    values: np.ndarray, what: Path | str, size: Sequence[int] | None, photo: Photo, turned: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """H W numbers, turned by their own EXIF (``turned``) and, where only that makes them fit, by the photo's; notes.

    Arguments and errors as of :func:`~bokehbench.data.decoding.turn_to_fit`.
    """
    values = upright(values, turned)
    turn = 1 if size is None else turn_to_fit(what, values.shape, size, photo, turned)
    return upright(values, turn), ("its map was turned as the photo's EXIF says",) * (turn != 1)


def stored_map(
    path: Path, size: Sequence[int] | None = None, photo: Photo = None
) -> tuple[np.ndarray, float | None, tuple[str, ...]]:
    """H W numbers of a file as seen, the largest that its format can hold (None: any), and notes.

    Arguments and errors as of :func:`read_values`.
    """
    several: tuple[str, ...] = ()
    with readable(path, "a map"):
        if path.suffix.lower() == ".npy":
            array, turned = np.load(path, mmap_mode="r", allow_pickle=False), 1
            if array.size > MAX_PIXELS:
                raise Image.DecompressionBombError
            array = np.array(array).reshape(map_size(path, array.shape))
            if array.dtype.kind not in "fiub" or not array.size:
                raise BokehbenchError(f"{path}: is not an array of height x width numbers: save it as one.")
            values, largest = array, LARGEST.get(array.dtype.name)
        elif exr.is_exr(path):
            values, largest, turned = exr.read_plane(path, MAX_PIXELS), None, 1
        else:
            colours, cut = deep(lambda: open_header(path))
            with open_loaded(path) as image:
                if cut and colours is None and len(image.getbands()) > 1:
                    raise BokehbenchError(f"{path}: is not read without loss: save one channel, as PGM, PNG or TIFF.")
                turned = orientation(image)
                values, largest = plane_of(image, str(path), colours)
                several = ("only the first of its pictures was read",) * bool(getattr(image, "is_animated", False))
        values, notes = fitting(values, path, size, photo, turned)
        return values, largest, several + notes
    raise AssertionError("unreachable")


def plane_of(image: Image.Image, what: str, colours: np.ndarray | None = None) -> tuple[np.ndarray, float | None]:
    """H W numbers of a decoded image as stored, and the largest that its format can hold (None: any).

    Args:
        image: of one channel, or of equal ones; alpha is left out.
        what: it is, for the error.
        colours: in 16 bits, H W 3 or 4, where Pillow has 8 of them.

    Raises:
        BokehbenchError: a colour picture.
    """
    if image.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        raise BokehbenchError(f"{what}: is a {image.mode} picture, not a map: save a greyscale file with one channel.")
    if len(image.getbands()) > 1 or image.mode == "P":
        colours = np.asarray(image.convert("RGB")) if colours is None else colours[..., :3]
        if (colours != colours[..., :1]).any():
            raise BokehbenchError(f"{what}: is a colour picture, not a map: save a greyscale file with one channel.")
        return colours[..., 0], float(np.iinfo(colours.dtype).max)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return np.asarray(image), 65535.0
    return np.asarray(image), {"1": 1.0, "L": 255.0}.get(image.mode)


def write_map(path: Path, disparity: Tensor) -> None:
    """Write H W in [0, 1], 1 = nearest, as PNG of 16 bits, bright = near; :func:`read_map` gives it back.

    The file appears whole or not at all.

    Raises:
        BokehbenchError: another suffix, or a place that cannot be written to.
    """
    if path.suffix.lower() != ".png":
        raise BokehbenchError(f"{path}: a disparity map is written as PNG of 16 bits: name it {path.stem}.png.")
    picture = Image.fromarray((disparity.detach().float().cpu() * 65535).round().numpy().astype(np.uint16))
    write_atomic(path, lambda file: picture.save(file, "PNG"))
