"""One photo file of a phone: what its header says, its picture, and the depth inside."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from bokehbench.data.decoding import open_header, orientation, readable, upright
from bokehbench.data.pixels import read_pixels, to_srgb_pixels
from bokehbench.errors import BokehbenchError
from bokehbench.preparation.phone.android import android_depth, turned
from bokehbench.preparation.phone.apple import heic_depth, jpeg_depth, open_heic
from bokehbench.preparation.phone.depth import Depth, NoDepth
from bokehbench.preparation.phone.jpeg import START, xmp_trees

TAGS = ExifTags.Base
#: Suffixes of HEIF files, in lower case.
HEIC_SUFFIXES = (".heic", ".heif", ".hif")
#: Values of EXIF CustomRendered that Apple gives to its own blurred renderings; what Pixel phones add to their names.
BLURRED, COVER = (7, 8, 9), ".PORTRAIT-01.COVER"
#: Columns of the table by their EXIF tags.
LENS = {"f_number": TAGS.FNumber, "focal_mm": TAGS.FocalLength, "focal_35mm": TAGS.FocalLengthIn35mmFilm}
#: Of a file, in bytes; a phone photo with all that it holds has a few million.
MOST_BYTES = 400_000_000
#: Side of the small pictures by which contents are compared.
SMALL = 32


@dataclass(frozen=True)
class PhoneFile:
    """What the header of a photo says.

    Attributes:
        path: the file.
        heic: whether it is a HEIF file, whatever its suffix.
        size: (height, width) as seen.
        turn: EXIF orientation that its pixels still need; 1 in HEIC, which is decoded upright.
        blurred: whether its picture is the phone's own rendering with blur.
        time: when it was taken, in seconds, with the fraction that EXIF has; None: not said.
        lens: columns of the table: f-number, focal lengths in mm.
        focus: (x, y) in [0, 1] of the picture as seen; None: not said.
    """

    path: Path
    heic: bool
    size: tuple[int, int]
    turn: int
    blurred: bool
    time: float | None
    lens: Mapping[str, float]
    focus: tuple[float, float] | None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """As :func:`~bokehbench.data.decoding.readable`; our own sentences get the file's name, too."""
    with readable(path, "a photo"):
        try:
            yield
        except BokehbenchError as error:
            raise error if str(path) in str(error) else type(error)(f"{path}: {error}") from error


def read_header(path: Path) -> PhoneFile:
    """Read a header; no pixel is decoded. BokehbenchError for a file that is no picture, or of an unlikely size."""
    with _named(path):
        if path.stat().st_size > MOST_BYTES:
            raise BokehbenchError(f"has more than {MOST_BYTES // 10**6} MB: no photo of a phone is as large.")
        with path.open("rb") as file:
            head = file.read(12)
        heic = head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis")
        if heic:
            image, turn = open_heic(path), 1
            size, block = image.size[::-1], image.info.get("exif")
        else:
            with open_header(path) as image:
                turn, block = orientation(image, header_only=True), image.info.get("exif")
                size = image.size if turn >= 5 else image.size[::-1]
        exif, inner, lens = Image.Exif(), dict[int, object](), dict[str, float]()
        with suppress(Exception):  # bad metadata is not a bad photo
            exif.load(block or b"")
            inner = exif.get_ifd(ExifTags.IFD.Exif)
        for head_of_column, tag in LENS.items():
            with suppress(Exception):
                if 0 < (value := float(inner[tag])) < 1e6:  # type: ignore[arg-type]
                    lens[head_of_column] = value
        blurred = inner.get(TAGS.CustomRendered) in BLURRED or COVER in path.name.upper()
        focus = _focus(inner, size, exif.get(TAGS.Orientation, 1))
        return PhoneFile(path, heic, size, turn, blurred, _time(inner), lens, focus)
    raise AssertionError("unreachable")


def _time(inner: Mapping[int, object]) -> float | None:
    with suppress(ValueError):
        text = str(inner.get(TAGS.DateTimeOriginal)).strip("\0 ")
        fraction = str(inner.get(TAGS.SubsecTimeOriginal, "")).strip("\0 ")
        seconds = datetime.strptime(text, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
        return seconds + (float(f"0.{fraction}") if fraction.isdecimal() else 0)
    return None


def _focus(inner: Mapping[int, object], size: tuple[int, int], turn: int) -> tuple[float, float] | None:
    """The middle of SubjectArea, which is in pixels of the picture as stored, though it may be a smaller copy."""
    with suppress(Exception):
        area, stored = inner[0x9214], size if turn >= 5 else size[::-1]
        x, y = (float(area[side]) / float(inner.get(0xA002 + side) or stored[side]) for side in (0, 1))  # type: ignore
        return turned(x, y, turn) if 0 <= x <= 1 and 0 <= y <= 1 else None
    return None


def read_depth(file: PhoneFile, min_confidence: float = 0.1) -> Depth:
    """The depth inside a photo; values whose confidence is below ``min_confidence`` are NaN.

    Raises:
        NoDepth: it holds none; gain maps and mattes are none.
        BokehbenchError: one that cannot be read, or does not fit the photo.
    """
    with _named(file.path):
        if file.heic:
            return heic_depth(file.path)
        data = file.path.read_bytes()
        if not data.startswith(START):
            raise NoDepth("holds no depth map.")
        found = android_depth(data, xmp_trees(data), file.size, file.turn, min_confidence)
        return found or jpeg_depth(data, file.size, file.turn)
    raise AssertionError("unreachable")


def read_picture(file: PhoneFile) -> np.ndarray:
    """The photo's own picture, H W 3 uint8 or uint16 of full range, sRGB, as seen."""
    if not file.heic:
        return read_pixels(file.path)
    with _named(file.path):
        return to_srgb_pixels(open_heic(file.path).to_pillow()).over_white().colours
    raise AssertionError("unreachable")


def signature(file: PhoneFile) -> np.ndarray:
    """A photo in 1024 numbers, whose product with those of another is their correlation, from -1 to 1.

    Zeros, which are like nothing, for a photo of one tone or one that cannot be read.
    """
    with suppress(BokehbenchError), _named(file.path):  # it is said where the photo itself is read
        image = open_heic(file.path).to_pillow() if file.heic else open_header(file.path)
        image.draft("L", (8 * SMALL, 8 * SMALL))
        grey = np.asarray(image.convert("L").resize((SMALL, SMALL), Image.Resampling.BOX), dtype=np.float32)
        image.close()
        values = upright(grey - grey.mean(), file.turn).ravel()
        if (norm := float(np.linalg.norm(values))) > SMALL:
            return values / norm
    return np.zeros(SMALL * SMALL, np.float32)
