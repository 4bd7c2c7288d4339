"""OpenEXR files: headers by ourselves, so that sizes and cut files show without decoding; pixels by OpenEXR's wheel."""

import re
import struct
from contextlib import suppress
from importlib import import_module
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from bokehbench.errors import BokehbenchError

MAGIC = b"v/1\x01"
#: Flags of the version field: what is no single flat picture (deep pixels, several parts), and tiles.
NOT_FLAT, TILED = 0x1800, 0x200
#: Of a header: name, kind and length of a value; and the name of a channel, with what is known of it.
ATTRIBUTE, CHANNEL = (
    re.compile(form, re.DOTALL) for form in (rb"([^\0]{1,255})\0[^\0]{1,255}\0(.{4})", rb"([^\0]{1,255})\0.{16}")
)


class Header(NamedTuple):
    """What a file claims: sides in pixels, names of its channels, and where the table of its chunks begins."""

    height: int
    width: int
    channels: tuple[str, ...]
    table: int
    tiled: bool


def is_exr(path: Path) -> bool:
    """Whether the file begins as OpenEXR files do, whatever its name is; False for none, and for a pipe or a device."""
    if not path.is_file():
        return False
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC
    return False


def header(path: Path) -> Header:
    """Read a header; call inside :func:`~bokehbench.data.decoding.readable`.

    Raises:
        BokehbenchError: deep pixels, or several parts.
        OSError: a broken header.
    """
    place, values = 8, dict[bytes, bytes]()
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        while found := ATTRIBUTE.match(data, place):
            place = found.end() + int.from_bytes(found[2], "little")
            if found[1] in (b"channels", b"dataWindow"):
                values[found[1]] = data[found.end() : place]
        flags, end = int.from_bytes(data[4:8], "little"), data[place : place + 1]
    if flags & NOT_FLAT:
        raise BokehbenchError(f"{path}: has several parts or deep pixels: save one flat picture.")
    window, channels = values.get(b"dataWindow", b""), CHANNEL.findall(values.get(b"channels", b""))
    if end != b"\0" or len(window) != 16 or not channels:
        raise OSError("its header is broken")
    left, top, right, bottom = struct.unpack("<4i", window)
    if right < left or bottom < top:
        raise OSError("it has no pixels")
    names = tuple(name.decode("latin-1") for name in channels)
    return Header(bottom - top + 1, right - left + 1, names, place + 1, bool(flags & TILED))


def is_whole(path: Path) -> bool:
    """Whether the last chunk of pixels ends inside the file, by the table of chunks; True for tiles, which only reading
    tells, and False for a broken header."""
    with suppress(OSError, ValueError, IndexError):
        head = header(path)
        # The table ends where the chunks begin; those of rows from below have the first one last.
        first = int(np.fromfile(path, "<u8", 1, offset=head.table)[0])
        places = np.fromfile(path, "<u8", min((first - head.table) // 8, head.height), offset=head.table)
        last = int(places.max())
        end = last + 8 + int(np.fromfile(path, "<u4", 2, offset=last)[1])
        return head.tiled or (places.min() > head.table and end <= path.stat().st_size)
    return False


def library() -> ModuleType:
    """The OpenEXR wheel; BokehbenchError where it is not installed."""
    try:
        return import_module("OpenEXR")
    except ImportError as error:
        raise BokehbenchError('EXR files need OpenEXR: install it with pip install "bokehbench[exr]".') from error


def read_light(path: Path, most: int) -> np.ndarray:
    """H W 3 float32, linear light, 0 or more, also above 1; call inside :func:`~bokehbench.data.decoding.readable`.

    Args:
        path: half or float; R, G and B, or one channel for grey. With alpha, which EXR premultiplies, over white.
        most: pixels; a file that claims more is refused before they are decoded.

    Raises:
        BokehbenchError: other channels, NaN or infinite values, or OpenEXR is not installed.
    """
    channels, alpha = _channels(path, most)
    if set(channels) != set("RGB") and len(channels) != 1:
        names = ", ".join(header(path).channels)
        raise BokehbenchError(f"{path}: has the channels {names}: save a photo as R, G and B.")
    light = np.stack([channels[name] for name in "RGB"] if len(channels) == 3 else [*channels.values()] * 3, -1)
    if alpha is not None:
        light += 1 - alpha[..., None].clip(0, 1)
    if not np.isfinite(light).all():
        raise BokehbenchError(f"{path}: has NaN or infinite values: render or save it again without them.")
    return light.clip(0, None)


def read_plane(path: Path, most: int) -> np.ndarray:
    """H W float32: the one channel of a map as it is, NaN and infinity kept; equal ones count as one, alpha as none.

    Arguments and errors as of :func:`read_light`.
    """
    first, *others = _channels(path, most)[0].values()
    if not all(np.array_equal(first, other, equal_nan=True) for other in others):
        names = ", ".join(header(path).channels)
        raise BokehbenchError(f"{path}: has the channels {names}, which differ: save a map as a file with one channel.")
    return first


def _channels(path: Path, most: int) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """H W float32 by name, and alpha where there is one besides others.

    A name with a layer, as renderers write ("ViewLayer.Combined.R"), counts as its end where no other ends so.
    """
    head = header(path)
    if head.height * head.width * max(len(head.channels), 4) > 4 * most:
        raise BokehbenchError(f"{path}: claims {head.width} x {head.height} pixels: save a smaller one.")
    if not is_whole(path):
        raise OSError("truncated")
    read = library().File(str(path), separate_channels=True).channels()
    arrays = [np.asarray(read[name].pixels, np.float32) for name in head.channels]
    if any(array.shape != (head.height, head.width) for array in arrays):
        raise OSError("its channels are of different size")
    ends = [name.rpartition(".")[2].upper() for name in head.channels]
    found = dict(zip(ends if len(set(ends)) == len(ends) else head.channels, arrays, strict=True))
    return found, found.pop("A", None) if len(found) > 1 else None
