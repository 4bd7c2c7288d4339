"""Picture files to arrays: sRGB, upright. Starts without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bokehbench.data import colour
from bokehbench.data.decoding import ORIENTATION_TAG, open_header, orientation, readable, upright


def decode(path: Path) -> tuple[np.ndarray, tuple[bytes | None, bytes | None, tuple[str, ...]]]:
    """Pixels H W 3 in uint8 or uint16, full range; colour profile, EXIF block with the orientation set to upright, and
    notes on what was changed in reading.

    Raises:
        BokehbenchError: the file is missing, empty, corrupt, truncated, no picture, or too large.
    """
    with readable(path), open_header(path) as image:
        image.load()
        turned = orientation(image)
        exif = image.getexif()
        exif_bytes = None
        if exif:
            exif[ORIENTATION_TAG] = 1
            exif_bytes = exif.tobytes()
        pixels, profile, notes = colour.to_srgb_pixels(path, image)
        return upright(pixels, turned), (profile, exif_bytes, notes)
    raise AssertionError("unreachable")


def read_pixels(path: str | Path) -> np.ndarray:
    """H W 3 in uint8 or uint16, full range; errors as of :func:`decode`."""
    return decode(Path(path))[0]


def to_8_bit(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16 of full range to uint8, rounded."""
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(pixels)
