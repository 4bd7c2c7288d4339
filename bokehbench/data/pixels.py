"""Picture files to arrays: any pixel format and colour profile to sRGB, upright. Starts without torch."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from bokehbench.data import exr
from bokehbench.data.colour import encoded, in_srgb, separated, to_8_bit
from bokehbench.data.decoding import (
    BITS,
    MAX_PIXELS,
    ends_properly,
    open_header,
    open_loaded,
    orientation,
    picture_size,
    readable,
)
from bokehbench.data.decoding import upright as seen
from bokehbench.data.metadata import read_metadata

#: TIFF's tags of what its numbers mean, and of whether channels lie one behind the other.
MEANING, PLANES = 262, 284


class Decoded(NamedTuple):
    """A picture as it lies in its file, in sRGB.

    ``colours`` are H W 3 uint8 or uint16 of full range, ``alpha`` the same with one channel, None where it is opaque.
    ``profile`` is the RGB profile of a file that is written like it; None: sRGB. ``notes`` say what was changed.
    """

    colours: np.ndarray
    alpha: np.ndarray | None
    profile: bytes | None
    notes: tuple[str, ...]

    def over_white(self) -> "Decoded":
        """Without alpha: what most viewers show for a cut-out."""
        if self.alpha is None:
            return self
        largest = np.iinfo(self.colours.dtype).max
        flat = largest - (largest - self.colours) * (self.alpha / np.float32(largest))
        notes = ("transparent parts were put over white", *self.notes)
        return Decoded(np.rint(flat).astype(self.colours.dtype), None, self.profile, notes)


def decode(path: Path) -> tuple[np.ndarray, tuple[bytes | None, bytes | None, tuple[str, ...]]]:
    """Pixels H W 3 in uint8 or uint16, full range; colour profile, EXIF block with what is written of it, and notes on
    what was changed in reading.

    The linear light of an EXR is encoded with the sRGB curve; what is brighter than white is clipped.

    Raises:
        BokehbenchError: the file is missing, empty, corrupt, truncated, no picture, or too large.
    """
    if exr.is_exr(path):
        light = read_light(path)
        notes = ["linear light of an EXR was encoded as sRGB"]
        notes += [f"light brighter than white, up to {light.max():.3g}, was clipped"] if light.max() > 1 else []
        return np.rint(encoded(light.clip(0, 1)) * 65535).astype(np.uint16), (None, None, tuple(notes))
    with readable(path), open_loaded(path) as image:
        exif, exif_notes = read_metadata(image)
        found = to_srgb_pixels(image, lambda: open_header(path)).over_white()
        return seen(found.colours, orientation(image)), (found.profile, exif, (*found.notes, *exif_notes))
    raise AssertionError("unreachable")


def read_light(path: Path) -> np.ndarray:
    """An EXR as H W 3 float32, linear light, 0 or more, also above 1.

    Raises:
        BokehbenchError: the file is missing, broken, truncated, too large, of other channels, or has NaN or infinity.
    """
    with readable(path):
        return exr.read_light(path, MAX_PIXELS)
    raise AssertionError("unreachable")


def read_pixels(path: str | Path) -> np.ndarray:
    """H W 3 in uint8 or uint16, full range; errors as of :func:`decode`."""
    return decode(Path(path))[0]


def read_rgba(path: Path) -> np.ndarray:
    """H W 4 in uint8 or uint16, full range, with alpha; errors as of :func:`decode`."""
    with readable(path), open_loaded(path) as image:
        colours, alpha, _, _ = to_srgb_pixels(image, lambda: open_header(path))
        opaque = np.full_like(colours[..., :1], np.iinfo(colours.dtype).max)
        return seen(np.concatenate([colours, opaque if alpha is None else alpha], -1), orientation(image))
    raise AssertionError("unreachable")


def quick_size(path: Path, read: Callable[[Path], object] = read_pixels) -> tuple[int, int]:
    """(height, width) from the header; a file cut short, or followed by something else, is read: the pixels tell.

    Raises:
        BokehbenchError: the file is missing, empty, no picture, or truncated.
    """
    size = picture_size(path)
    if not ends_properly(path):  # some phones append a film
        read(path)
    return size


def to_srgb_pixels(image: Image.Image, again: Callable[[], ImageFile] | None = None) -> Decoded:
    """A picture to sRGB; ``again`` opens its file once more, without which Pillow's 8 bits are all there is.

    Raises:
        ValueError, OSError: floats outside [0, 1], 32 bits, or a file that cannot be decoded.
    """
    found, cut = deep(again) if again is not None else (None, any(";16" in raw for raw in _raw_modes(image)))
    cut |= image.info.get("bits", 8) > 8
    image.load()
    alpha, hidden = None, image.info.get("transparency")
    if image.mode in ("CMYK", "LAB"):
        colours, notes = separated(image)
        profile = None
    else:
        if found is not None:
            colours, alpha = found[..., :3], found[..., 3:]
            if isinstance(hidden, tuple):  # the colour of a PNG that is transparent
                alpha = np.where((colours == hidden).all(-1, keepdims=True), 0, 65535).astype(np.uint16)
        elif image.mode.startswith("I;16") or image.mode in ("I", "F"):
            colours = _deep_grey(image)
        elif hidden is not None or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
            rgba = np.asarray(image.convert("RGBA"))
            colours, alpha = rgba[..., :3], rgba[..., 3:]
        else:
            colours = np.asarray(image.convert("RGB"))
        cut |= colours.dtype == np.uint16
        colours, profile, notes = in_srgb(colours, image)
    if cut:
        notes.append(f"read with {'16' if colours.dtype == np.uint16 else '8 of its'} bits, written with 8")
    if image.format != "MPO" and getattr(image, "is_animated", False):  # an MPO's others are of the same moment
        notes.append("only the first of its pictures was read")
    if alpha is not None and alpha.dtype != colours.dtype:
        alpha = to_8_bit(alpha)
    opaque = alpha is None or not alpha.size or alpha.min() == np.iinfo(alpha.dtype).max
    return Decoded(colours, None if opaque else alpha, profile, tuple(notes))


def _raw_modes(image: Image.Image) -> list[str]:
    """How the pixels lie in the file of a picture that is not loaded yet, as Pillow calls it: ``RGB;16L``."""
    return [str(tile[3][0] if isinstance(tile[3], tuple) else tile[3]) for tile in getattr(image, "tile", ())]


def deep(again: Callable[[], ImageFile]) -> tuple[np.ndarray | None, bool]:
    """H W 3 or 4 uint16, where Pillow would cut 16 bits to 8; and whether there are more than 8 bits.

    Pillow looks at one of the two bytes of a value. So the file is decoded once for either.
    """
    with again() as image:
        tags: Any = getattr(image, "tag_v2", {})
        raws, tile = _raw_modes(image), image.tile[0] if image.tile else None
    bits = max(tags.get(BITS, (16 if any(";16" in raw for raw in raws) else 8,)))
    if tile and tile.codec_name.startswith("ppm") and int(tile.args[1]) > 255:  # type: ignore[index]
        bits = 9
    packed_planes = tile and tile.codec_name == "libtiff" and tags.get(PLANES) == 2
    if bits != 16 or image.mode not in ("RGB", "RGBA") or raws[0].startswith("RGBa") or packed_planes:
        return None, bits > 8
    if raws == ["LA;16B"]:
        four = _bytes(again, ["RGBA"]).astype(np.uint16)
        return (four[..., 0::2] << 8 | four[..., 1::2])[..., [0, 0, 0, 1]], True
    names, orders = zip(*(raw.split(";16") if ";16" in raw else (raw, "") for raw in raws), strict=True)
    # Of planes that lie one behind the other Pillow takes the bytes for pixels
    big = sys.byteorder == "big" if orders[0] == "N" else orders[0] == "B" or (not orders[0] and tags.prefix == b"MM")
    high, low = (_bytes(again, [f"{name};16{order}" for name in names]) for order in ("BL" if big else "LB"))
    return high.astype(np.uint16) << 8 | low, True


def _bytes(again: Callable[[], ImageFile], raws: list[str]) -> np.ndarray:
    """H W C uint8, decoded as if the file's pixels were of these raw modes."""
    with again() as image:
        tiles = []
        for tile, raw in zip(image.tile, raws, strict=True):
            tiles.append(tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw))
        image.tile = tiles
        return np.asarray(image)


def _deep_grey(image: Image.Image) -> np.ndarray:
    """9- to 16-bit or float greyscale as H W 3 uint16 of full range."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError("NaN or float values outside 0 .. 1")
        values = values * 65535
    elif values.size and (values.min() < 0 or values.max() > 65535):
        raise ValueError("whole numbers outside 0 .. 65535")
    tags: Any = getattr(image, "tag_v2", {})
    if (bits := tags.get(BITS, (16,))[0]) < 16:
        values = values * (65535 / (2**bits - 1))
    grey = np.rint(values).astype(np.uint16)
    # Pillow turns white that is 0 around in 8 bits alone
    grey = 65535 - grey if tags.get(MEANING) == 0 and image.mode.startswith("I;16") else grey
    return np.repeat(grey[..., None], 3, axis=2)
