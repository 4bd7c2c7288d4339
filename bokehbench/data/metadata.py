"""What a photo says of itself, in the form that every picture format holds; nothing of how its pixels lie in a file."""

import math
from contextlib import suppress
from fractions import Fraction
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from bokehbench.data.decoding import ORIENTATION_TAG

Base, Inner = ExifTags.Base, ExifTags.IFD.Exif
#: Tags that are written (EXIF 2.32): no structure, offsets, thumbnails, positions, nor what only a maker can read.
OUTER_TAGS = "ImageDescription Make Model Software DateTime Artist Copyright"
INNER_TAGS = """
    DateTimeOriginal DateTimeDigitized OffsetTime OffsetTimeOriginal OffsetTimeDigitized SubsecTime SubsecTimeOriginal
    SubsecTimeDigitized LensMake LensModel LensSpecification ExposureTime FNumber ExposureProgram ISOSpeedRatings
    SensitivityType ShutterSpeedValue ApertureValue BrightnessValue ExposureBiasValue MaxApertureValue SubjectDistance
    MeteringMode LightSource Flash FocalLength ExposureMode WhiteBalance DigitalZoomRatio FocalLengthIn35mmFilm
    SceneCaptureType SubjectDistanceRange"""
#: People may miss these, so that it is said when they are left out.
MISSED = "GPSInfo MakerNote UserComment XMLPacket IPTCNAA ImageResources"
#: Of a text, in bytes: with all of them the block still fits into the 64 KB that a JPEG has for it.
LONGEST = 2000


def read_metadata(image: Image.Image) -> tuple[bytes | None, tuple[str, ...]]:
    """A picture's EXIF block with the descriptive tags alone and the orientation upright, or None; and notes.

    A block that cannot be read says nothing about the pixels: it is left out, with a note.
    """
    try:
        tags, missed = descriptive(image.getexif())
    except Exception:  # Pillow's readers raise struct.error, SyntaxError, KeyError, ValueError, TypeError ...
        return None, ("its EXIF metadata cannot be read: left out",)
    notes = (f"metadata left out: {', '.join(missed)}",) if missed else ()
    return (_block(tags) if tags else None), notes


def write_options(block: bytes, kind: str) -> dict[str, Any]:
    """What Pillow's writer of ``kind`` wants for a block of :func:`read_metadata`, or for any other."""
    exif = Image.Exif()
    with suppress(Exception):
        exif.load(block)
        tags, _ = descriptive(exif)
        # From a block the TIFF writer takes texts as ASCII alone
        return {"tiffinfo": tags} if kind == "TIFF" else {"exif": _block(tags)}
    return {}


def descriptive(exif: Image.Exif) -> tuple[ImageFileDirectory_v2, list[str]]:
    """The known tags whose values are right, upright; and names of what people might miss. Raises anything."""
    outer, inner = dict(exif), {}
    with suppress(Exception):  # the outer tags are good without it
        inner = exif.get_ifd(Inner)
    tags, kept = (
        ImageFileDirectory_v2(),
        {tag: value for tag in _numbers(INNER_TAGS) if (value := _clean(inner.get(tag)))},
    )
    for tag in _numbers(OUTER_TAGS):
        if (text := _clean(outer.get(tag))) and isinstance(text, str):
            tags.tagtype[tag] = 2
            tags[tag] = text.encode("latin-1")  # Pillow would write all but ASCII as question marks
    missed = [tag for tag in _numbers(OUTER_TAGS) if outer.get(tag) and tag not in tags]
    missed += [tag for tag in _numbers(INNER_TAGS) if inner.get(tag) and tag not in kept]
    missed += [tag for tag in _numbers(MISSED) if tag in outer or tag in inner]
    if kept:
        tags[Inner] = kept
    if tags:
        tags[ORIENTATION_TAG] = 1
    return tags, sorted(Base(tag).name for tag in missed)


def _numbers(names: str) -> list[int]:
    return [Base[name] for name in names.split()]


def _block(tags: ImageFileDirectory_v2) -> bytes:
    return b"Exif\0\0II*\0\x08\0\0\0" + tags.tobytes(8)


def _clean(value: object) -> str | tuple[int | IFDRational, ...] | None:
    """A text without control characters, such as its end, or up to four numbers that a file can hold, else None."""
    if isinstance(value, str):
        text = "".join(letter for letter in value if letter >= " " or letter == "\n").strip()
        return text if 0 < len(text) <= LONGEST else None
    numbers = []
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, float) and math.isfinite(number):
            number = IFDRational(Fraction(number).limit_denominator(10**6))
        if not isinstance(number, int | IFDRational) or not number.denominator or abs(number) >= 2**31:
            return None
        numbers.append(number)
    return tuple(numbers) if len(numbers) <= 4 else None
