"""What a photo's file says of its exposure, and when it was taken."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ExifTags

from bokehbench.data.decoding import open_header, readable

Base = ExifTags.Base


class Facts(NamedTuple):
    """What is known: f-number, focal length (mm), exposure time (s), and the time, in seconds since 1970."""

    f_number: float | None = None
    focal_length: float | None = None
    exposure: float | None = None
    time: float | None = None


def read_facts(path: Path) -> Facts:
    """The facts that a photo's EXIF has; a tag that cannot be read is unknown.

    Raises:
        BokehbenchError: the file is missing, empty, or no picture.
    """
    tags: dict[int, Any] = {}
    with readable(path), open_header(path) as image, suppress(Exception):  # bad metadata is not bad pixels
        tags = dict(image.getexif().get_ifd(ExifTags.IFD.Exif))
    f_number, length, exposure = (_number(tags.get(tag)) for tag in (Base.FNumber, Base.FocalLength, Base.ExposureTime))
    time = None
    with suppress(ValueError):  # 2026:11:29 12:30:00, in whatever zone, and 25 hundredths of a second
        time = datetime.strptime(str(tags.get(Base.DateTimeOriginal)).strip("\0 "), "%Y:%m:%d %H:%M:%S").timestamp()
        time += _number(f"0.{tags.get(Base.SubsecTimeOriginal)}".strip("\0 ")) or 0
    return Facts(f_number, length, exposure, time)


def _number(value: Any) -> float | None:
    with suppress(TypeError, ValueError, ZeroDivisionError):
        if 0 < float(value) < float("inf"):
            return float(value)
    return None
