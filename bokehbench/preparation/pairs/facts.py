"""What a photo's file says of its exposure, and when it was taken."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import ExifTags

from bokehbench.data.decoding import open_header, readable

Base = ExifTags.Base


@dataclass(frozen=True)
class Facts:
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
    tags = {}
    with readable(path), open_header(path) as image, suppress(Exception):  # bad metadata is not bad pixels
        tags = dict(image.getexif().get_ifd(ExifTags.IFD.Exif))
    numbers = []
    for tag in (Base.FNumber, Base.FocalLength, Base.ExposureTime):
        value = None
        with suppress(TypeError, ValueError, ZeroDivisionError):
            value = float(tags[tag]) if tag in tags else None
        numbers.append(value if value is not None and 0 < value < float("inf") else None)
    return Facts(*numbers, _time(str(tags.get(Base.DateTimeOriginal)), str(tags.get(Base.SubsecTimeOriginal, 0))))


def _time(text: str, below: str) -> float | None:
    """Of ``2026:11:29 12:30:00`` and ``25``, hundredths of a second; one camera's clock, in whatever zone."""
    with suppress(ValueError):
        seconds = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S").timestamp()
        below = below.strip("\0 ")
        return seconds + (float(f"0.{below}") if below.isdecimal() else 0)
    return None
