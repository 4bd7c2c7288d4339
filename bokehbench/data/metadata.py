"""What a photo says of itself, in the form that every picture format holds; nothing of how its pixels lie in a file."""

import math
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from bokehbench.data.decoding import ORIENTATION_TAG

Base, Inner = ExifTags.Base, ExifTags.IFD.Exif
#: Tags that are written: EXIF 2.32, tables 3 to 8, without structure, offsets, thumbnails and what only makers know.
TEXT = (
    Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist, Base.Copyright,
)  # fmt: skip
INNER_TEXT = (
    Base.DateTimeOriginal, Base.DateTimeDigitized, Base.OffsetTime, Base.OffsetTimeOriginal,
    Base.OffsetTimeDigitized, Base.SubsecTime, Base.SubsecTimeOriginal, Base.SubsecTimeDigitized, Base.LensMake,
    Base.LensModel,
)  # fmt: skip
INNER_NUMBERS = (
    Base.ExposureTime, Base.FNumber, Base.ExposureProgram, Base.ISOSpeedRatings, Base.SensitivityType,
    Base.ShutterSpeedValue, Base.ApertureValue, Base.BrightnessValue, Base.ExposureBiasValue, Base.MaxApertureValue,
    Base.SubjectDistance, Base.MeteringMode, Base.LightSource, Base.Flash, Base.FocalLength, Base.ExposureMode,
    Base.WhiteBalance, Base.DigitalZoomRatio, Base.FocalLengthIn35mmFilm, Base.SceneCaptureType,
    Base.SubjectDistanceRange, Base.LensSpecification,
)  # fmt: skip
#: People may miss these, so that it is said when they are left out.
LEFT_OUT = {
    Base.GPSInfo: "position", Base.MakerNote: "maker note", Base.UserComment: "comment", Base.XMLPacket: "XMP",
    Base.IPTCNAA: "IPTC", Base.ImageResources: "Photoshop's",
}  # fmt: skip
#: A longer text is none: with all of them a JPEG's 64 KB hold the block.
LONGEST = 2000


def read_metadata(image: Image.Image) -> tuple[bytes | None, tuple[str, ...]]:
    """A picture's EXIF block with the descriptive tags alone and the orientation upright, or None; and notes.

    A block that cannot be read says nothing about the pixels: it is left out, with a note.
    """
    try:
        tags, odd = descriptive(image.getexif())
    except Exception:  # Pillow's readers raise struct.error, SyntaxError, KeyError, ValueError, TypeError ...
        return None, ("its EXIF metadata cannot be read: left out",)
    notes = (f"metadata left out: {', '.join(odd)}",) if odd else ()
    return (_block(tags) if tags else None), notes


def is_adobe_rgb(image: Image.Image) -> bool:
    """Whether a camera says so in the way of DCF 2.0: a colour space that is not sRGB, and the rule R03."""
    with suppress(Exception):
        exif = image.getexif()
        return exif.get_ifd(Inner).get(Base.ColorSpace) != 1 and exif.get_ifd(ExifTags.IFD.Interop).get(1) == "R03"
    return False


def write_options(block: bytes, kind: str) -> dict[str, Any]:
    """What Pillow's writer of ``kind`` wants for a block of :func:`read_metadata`, or for any other."""
    exif = Image.Exif()
    with suppress(Exception):
        exif.load(block)
        tags, _ = descriptive(exif)
        # From a block the TIFF writer takes texts as ASCII alone
        return {"tiffinfo": tags} if kind == "TIFF" else {"exif": _block(tags)}
    return {}


def _block(tags: ImageFileDirectory_v2) -> bytes:
    return b"Exif\0\0II*\0\x08\0\0\0" + tags.tobytes(8)


def descriptive(exif: Image.Exif) -> tuple[ImageFileDirectory_v2, list[str]]:
    """The known tags whose values are right, upright; and names of what people might miss.

    Raises:
        Exception: anything, where the block is broken.
    """
    tags, outer, odd = ImageFileDirectory_v2(), dict(exif), []
    inner: Mapping[int, Any] = {}
    with suppress(Exception):  # the outer tags are good without it
        inner = exif.get_ifd(Inner)
    for tag in set(TEXT) & outer.keys():
        # As bytes, since Pillow would write all but ASCII as question marks
        encoded = _text(outer[tag]).encode("latin-1", "ignore")
        if 0 < len(encoded) <= LONGEST:
            tags.tagtype[tag] = 2
            tags[tag] = encoded
        elif outer[tag]:
            odd.append(Base(tag).name)
    kept: dict[int, Any] = {
        tag: text for tag in INNER_TEXT if (text := _text(inner.get(tag))).isascii() and 0 < len(text) <= LONGEST
    }
    kept |= {tag: numbers for tag in INNER_NUMBERS if (numbers := _numbers(inner.get(tag)))}
    odd += [Base(tag).name for tag in (*INNER_TEXT, *INNER_NUMBERS) if inner.get(tag) and tag not in kept]
    odd += [name for tag, name in LEFT_OUT.items() if tag in outer or tag in inner]
    if kept:
        tags[Inner] = kept
    if tags:
        tags[ORIENTATION_TAG] = 1
    return tags, sorted(odd)


def _text(value: object) -> str:
    """A text without control characters, such as its end; empty for anything else."""
    return "".join(c for c in value if c >= " " or c == "\n").strip() if isinstance(value, str) else ""


def _numbers(value: object) -> tuple[int | IFDRational, ...]:
    """One number, or up to four, as a file can hold them; empty for anything else."""
    found = []
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, float) and math.isfinite(number):
            number = IFDRational(Fraction(number).limit_denominator(10**6))
        if not isinstance(number, int | IFDRational) or not number.denominator or abs(number) >= 2**31:
            return ()
        found.append(number)
    return tuple(found) if len(found) <= 4 else ()
