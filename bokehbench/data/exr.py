"""OpenEXR files: the header by ourselves, so that sizes and cut files show without decoding; pixels by OpenEXR's wheel.

Values are linear light, or depth, of any range. Starts without torch.
"""

import struct
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from bokehbench.errors import BokehbenchError

MAGIC = b"v/1\x01"
#: Bytes of a header; those of films and renderers have some kilobytes.
LONGEST_HEADER = 4 * 2**20
#: Flags of the version field: what is no single flat picture (deep pixels, several parts), and tiles.
NOT_FLAT, TILED = 0x1800, 0x200
#: Channels besides colour that many renderers write, which are left out.
ALPHA = "A"


class Header(NamedTuple):
    """What a file claims: sides in pixels, names of its channels, and where the table of its chunks begins."""

    height: int
    width: int
    channels: tuple[str, ...]
    table: int
    tiled: bool


def is_exr(path: Path) -> bool:
    """Whether the file begins as OpenEXR files do, whatever its name is; False for one that cannot be opened."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC
    return False


def header(path: Path) -> Header:
    """Read a header; call inside :func:`~bokehbench.data.decoding.readable`.

    Raises:
        BokehbenchError: deep pixels, several parts, or channels of different size.
        OSError: a broken header.
    """
    with path.open("rb") as file:
        data = file.read(LONGEST_HEADER)
    try:
        (version,) = struct.unpack_from("<I", data, len(MAGIC))
        found, table = _attributes(data) if not version & NOT_FLAT else ({}, 0)
        left, top, right, bottom = struct.unpack("<4i", found[b"dataWindow"]) if found else (0, 0, 0, 0)
        channels, whole, rest = [], True, found.get(b"channels", b"\0")
        while rest[:1] != b"\0":
            name, rest = rest.split(b"\0", 1)
            whole &= struct.unpack_from("<2i", rest, 8) == (1, 1)
            channels.append(name.decode("latin-1"))
            rest = rest[16:]
    except (ValueError, KeyError, struct.error) as error:
        raise OSError("its header is broken") from error
    if version & NOT_FLAT or not whole:
        raise BokehbenchError(
            f"{path}: has several parts, deep pixels or channels of different size: save one flat picture."
        )
    if right < left or bottom < top or not channels:
        raise OSError("it has no pixels")
    return Header(bottom - top + 1, right - left + 1, tuple(channels), table, bool(version & TILED))


def _attributes(data: bytes) -> tuple[dict[bytes, bytes], int]:
    """Values by name, and where they end; ValueError or struct.error where they do not end."""
    found, place = {}, 8
    while data[place : place + 1] != b"\0":
        name, kind, _ = data[place : place + 600].split(b"\0", 2)
        place += len(name) + len(kind) + 6
        (length,) = struct.unpack_from("<I", data, place - 4)
        found[name] = data[place : place + length]
        place += length
    return found, place + 1


def is_whole(path: Path) -> bool:
    """Whether the last chunk of pixels ends inside the file, by the table of chunks; True for tiles, which only reading
    tells, and False for a broken header."""
    try:
        head = header(path)
        if head.tiled:
            return True
        with path.open("rb") as file:
            file.seek(head.table)
            (first,) = struct.unpack("<Q", file.read(8))
            # The table ends where the chunks begin; those of rows from below have the first one last.
            count = min(max(first - head.table, 8) // 8, head.height)
            file.seek(head.table)
            places = struct.unpack(f"<{count}Q", file.read(8 * count))
            file.seek(max(places))
            _, length = struct.unpack("<2I", file.read(8))
        return min(places) > head.table and max(places) + 8 + length <= path.stat().st_size
    except (struct.error, OSError, OverflowError):
        return False


def library() -> ModuleType:
    """The OpenEXR wheel; BokehbenchError where it is not installed."""
    try:
        import OpenEXR
    except ImportError as error:
        raise BokehbenchError(
            'EXR files need the package OpenEXR: install it with pip install "bokehbench[exr]".'
        ) from error
    return OpenEXR


def read_light(path: Path, most: int) -> np.ndarray:
    """H W 3 float32, linear light, 0 or more, also above 1; transparent parts over white.

    Args:
        path: half or float; R, G and B, or one channel for grey; an alpha channel is premultiplied, as EXR has it.
        most: pixels; a file that claims more is refused before they are decoded.

    Call inside :func:`~bokehbench.data.decoding.readable`, which names what is raised.

    Raises:
        BokehbenchError: other channels, NaN or infinite values, or OpenEXR is not installed.
    """
    planes, alpha = _planes(path, most)
    if len(planes) not in (1, 3):
        raise BokehbenchError(
            f"{path}: has the channels {', '.join(header(path).channels)}: save a photo as R, G and B."
        )
    light = np.stack(planes if len(planes) == 3 else planes * 3, -1)
    if alpha is not None:
        light += 1 - alpha[..., None].clip(0, 1)
    if not np.isfinite(light).all():
        raise BokehbenchError(f"{path}: has NaN or infinite values: render or save it again without them.")
    return light.clip(0, None)


def read_plane(path: Path, most: int) -> np.ndarray:
    """H W float32: the one channel of a map as it is, NaN and infinity kept; equal colours count as one.

    Arguments as of :func:`read_light`.

    Raises:
        BokehbenchError: several channels that differ, or OpenEXR is not installed.
    """
    planes, _ = _planes(path, most)
    if not planes or any(not np.array_equal(planes[0], other, equal_nan=True) for other in planes[1:]):
        names = ", ".join(header(path).channels)
        raise BokehbenchError(f"{path}: has the channels {names}, which differ: save a map as a file with one channel.")
    return planes[0]


def _planes(path: Path, most: int) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Channels besides alpha, H W float32 each, R, G, B first where these are all; and the alpha channel, if any."""
    head = header(path)
    if head.height * head.width * max(len(head.channels), 4) > 4 * most:
        raise BokehbenchError(
            f"{path}: claims {head.width} x {head.height} pixels of {len(head.channels)} channels: save a smaller one."
        )
    if not is_whole(path):
        raise OSError("truncated")
    read = library().File(str(path), separate_channels=True).channels()
    arrays = {name: np.asarray(read[name].pixels, np.float32) for name in head.channels}
    # Renderers with layers write names such as "ViewLayer.Combined.R"
    short = {name.rpartition(".")[2].upper(): name for name in arrays}
    names = (
        [short[c] for c in "RGB"] if {"R", "G", "B"} <= set(short) <= {"R", "G", "B", ALPHA} else list(short.values())
    )
    if len(short) < len(arrays):
        names = list(arrays)
    alpha = arrays[short[ALPHA]] if ALPHA in short and len(arrays) > 1 else None
    return [arrays[name] for name in names if alpha is None or name != short[ALPHA]], alpha
