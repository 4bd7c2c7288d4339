"""Files to pixel arrays: every way in which a file can be bad ends in one sentence that names it."""

import io
import re
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features
from PIL.ImageFile import ImageFile

from bokehbench.data import exr
from bokehbench.errors import BokehbenchError
from bokehbench.files import refuse_devices

#: Suffixes of picture files, in lower case.
PICTURE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff", ".webp", ".bmp", ".dib", ".ppm", ".pgm", ".pnm",
    ".exr",
    *([".avif"] if "avif" in features.modules and features.check("avif") else []),
)  # fmt: skip
#: Suffixes of map files (disparity, depth, masks), in lower case.
MAP_SUFFIXES = (".npy", ".pfm", *PICTURE_SUFFIXES)
#: Larger pictures are refused before a pixel is decoded: they would not fit into memory as float32.
MAX_PIXELS = 178_000_000
ORIENTATION_TAG = 0x0112
#: TIFF's tags of bits per sample, and of whether they have a sign.
BITS, SIGN = 258, 339
#: Formats that are opened, by content and whatever the suffix says, as Pillow calls them. Its others start programs
#: (EPS), read further files, or are seldom looked at. The first of a JPEG that holds several is an "MPO" to it.
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "DIB", "PPM", "GIF", "AVIF")
PNG = b"\x89PNG\r\n\x1a\n"
#: How many pixels a byte can stand for: a block of 8 x 8 takes a bit at least, and zlib shrinks to 1/1032.
PIXELS_PER_BYTE = {"JPEG": 64 * 8, "MPO": 64 * 8, "PNG": 8 * 1032}
#: Of a JPEG, but for those inside its pixels.
MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")


def _refuse(path: Path, reason: str, remedy: str = "replace or remove this file") -> BokehbenchError:
    return BokehbenchError(f"{path}: {reason}: {remedy}.")


@contextmanager
def readable(path: Path, what: str = "a picture") -> Iterator[None]:
    """Turn whatever a decoder raises inside into a :class:`BokehbenchError` that names ``path``."""
    if not path.exists():
        raise _refuse(path, "no such file", "check the name")
    if path.is_dir():
        raise _refuse(path, "is a folder", f"give {what} file")
    try:
        refuse_devices(path)
        if path.stat().st_size == 0:
            raise _refuse(path, "the file is empty")
        with warnings.catch_warnings():
            # Our own limit answers for the size; Pillow's other warnings are about single bad metadata fields.
            warnings.simplefilter("ignore")
            yield
    except BokehbenchError:
        raise
    except Image.DecompressionBombError as error:
        raise _refuse(path, f"has more than {MAX_PIXELS // 10**6} million pixels", "make it smaller first") from error
    except PermissionError as error:
        raise _refuse(path, "may not be read", "change its permissions") from error
    except Image.UnidentifiedImageError as error:
        heic = path.suffix.lower() in (".heic", ".heif")
        remedy = "convert it, or see `bokehbench data import-phone`" if heic else ""
        remedy = remedy or "save it as PNG or JPEG, or as TIFF of 8 or 16 bits"
        raise _refuse(path, f"is not {what} that can be read", remedy) from error
    except MemoryError as error:
        raise _refuse(path, "does not fit into memory", "make it smaller first") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, zlib.error, ValueError ...
        said = (
            "cut short"
            if "truncated" in str(error)
            else " ".join(str(error).split()).rstrip(".") or type(error).__name__
        )
        raise _refuse(path, f"is corrupt or truncated ({said})") from error


def open_header(path: Path) -> ImageFile:
    """Open one of :data:`FORMATS` without decoding; call inside :func:`readable`."""
    size = path.stat().st_size
    if size > 8 * MAX_PIXELS:  # 16 bits of four channels
        raise _refuse(path, f"has {size / 10**9:.1f} GB", "save one picture of at most 1.4 GB")
    with path.open("rb") as file:
        start = file.read(2**16)
    tiff = start[:2] in (b"II", b"MM")
    try:
        # Pillow 13 scrambles turned TIFFs that it maps into memory; it cannot map bytes.
        image = Image.open(io.BytesIO(path.read_bytes()) if tiff else path, formats=FORMATS)
    except (Image.UnidentifiedImageError, ValueError):
        image = _open_bare(path)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError
    if image.format == "PPM" and image.mode == "F" and image.tile[0].offset + 4 * width * height != size:
        raise OSError("its header does not fit its length")
    tags: Any = getattr(image, "tag_v2", {})
    if 2 in tags.get(SIGN, ()) and 8 in tags.get(BITS, ()):
        raise OSError("it has negative numbers of 8 bits")
    image.info.update(_code_points(image.format or "", start))
    if width * height > size * PIXELS_PER_BYTE.get(image.format or "", MAX_PIXELS):
        raise OSError(f"it is too short for the {width} x {height} pixels that it claims")
    return image


def _code_points(kind: str, start: bytes) -> dict[str, Any]:
    """What a PNG or an AVIF says that Pillow does not: primaries and curve (ITU-T H.273), and more than 8 bits."""
    said: dict[str, Any] = {}
    if kind == "PNG" and (found := re.search(rb"cICP(..)", start.partition(b"IDAT")[0], re.DOTALL)):
        said["cicp"] = tuple(found[1])
    if kind == "AVIF":
        if found := re.search(rb"colrnclx(....)", start, re.DOTALL):
            said["cicp"] = (found[1][1], found[1][3])
        if (found := re.search(rb"av1C..(.)", start, re.DOTALL)) and found[1][0] & 0x40:
            said["bits"] = 12 if found[1][0] & 0x20 else 10
    return said


def open_loaded(path: Path) -> ImageFile:
    """Open and decode; call inside :func:`readable`."""
    image = open_header(path)
    try:
        image.load()
    except Exception:
        if image.format != "PNG":
            raise
        image = _open_bare(path)
        image.load()
    doubtful = image.format in ("JPEG", "MPO") and (image.info.get("progressive") or _ends_grey(image))
    if doubtful and _is_short(path, image):
        raise OSError("it has fewer pixels, or scans of them, than it claims")
    return image


def _ends_grey(image: Image.Image) -> bool:
    """Whether the last block is of the grey with which libjpeg fills what is missing, without a word."""
    width, height = image.size
    corner = np.asarray(image.crop(((width - 1) // 8 * 8, (height - 1) // 8 * 8, width, height)))
    return bool((np.abs(corner.astype(int) - 128) <= 1).all())


def _is_short(path: Path, image: Image.Image) -> bool:
    """Whether bytes that are put behind a JPEG's last ones become pixels: then those before were too few.

    Or a progressive one lacks scans with the last bit of some coefficients (ITU-T T.81, G.1.1.1).
    """
    data, place = path.read_bytes(), 2
    lacking = {(channel, which) for channel, *_ in getattr(image, "layer", ()) for which in range(64)}
    progressive = image.info.get("progressive")
    while (found := MARKER.search(data, place)) and data[found.end() - 1] != 0xD9:
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
        if progressive and data[found.end() - 1] == 0xDA and not data[place - 1] & 15:
            first, last = data[place - 3], data[place - 2]
            channels = data[found.end() + 3 : place - 3 : 2]
            lacking -= {(channel, which) for channel in channels for which in range(first, last + 1)}
    if progressive and lacking:
        return True
    end = found.start() if found else len(data)
    with Image.open(io.BytesIO(data[:end] + bytes(range(1, 251)) + b"\xff\xd9"), formats=("JPEG",)) as longer:
        return longer.tobytes() != image.tobytes()


def _open_bare(path: Path) -> ImageFile:
    """Open a PNG without its text, times and the like, at which a decoder may have stumbled."""
    data = path.read_bytes()
    if not data.startswith(PNG):
        raise Image.UnidentifiedImageError
    kept, place = [PNG], len(PNG)
    while place < len(data):
        kind, end = data[place + 4 : place + 8], place + 12 + int.from_bytes(data[place : place + 4])
        whole = zlib.crc32(data[place + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
        if kind[:1].isupper() or (whole and kind in (b"tRNS", b"iCCP", b"sRGB", b"gAMA", b"cHRM")):
            kept.append(data[place:end])
        place = end
    return Image.open(io.BytesIO(b"".join(kept)), formats=("PNG",))


def orientation(image: Image.Image, header_only: bool = False) -> int:
    """EXIF orientation, 1 (upright) to 8; 1 where it cannot be read.

    For pixels ask after ``load()``: Pillow turns TIFFs itself, then says 1.
    """
    try:
        if header_only and image.format == "PNG":
            exif = Image.Exif()  # a PNG's own getexif() decodes the pixels
            exif.load(image.info.get("exif", b""))
        else:
            exif = image.getexif()
        value = exif.get(ORIENTATION_TAG, 1)
    except Exception:  # bad metadata is not bad pixels
        return 1
    return value if value in range(1, 9) else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """H W ... pixels as stored to pixels as seen (EXIF 2.32, table of tag 0x0112)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def picture_size(path: str | Path) -> tuple[int, int]:
    """(height, width) as seen, from the header alone.

    Raises:
        BokehbenchError: the file is missing, empty, or no picture.
    """
    path = Path(path)
    with readable(path):
        if path.suffix.lower() == ".npy":
            return map_size(path, np.load(path, mmap_mode="r", allow_pickle=False).shape)
        if exr.is_exr(path):
            head = exr.header(path)
            if head.height * head.width > MAX_PIXELS:
                raise Image.DecompressionBombError
            return head.height, head.width
        with open_header(path) as image:
            width, height = image.size
            if image.format == "TIFF":  # Pillow versions differ in whether the size is that of the turned picture
                tags = image.tag_v2  # type: ignore[attr-defined]
                width, height = tags[256], tags[257]
            return (width, height) if orientation(image, header_only=True) >= 5 else (height, width)
    raise AssertionError("unreachable")


def map_size(path: Path, shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of an array of that shape; BokehbenchError unless all its other sides are 1."""
    sides = shape if len(shape) == 2 else tuple(side for side in shape if side != 1)
    if len(sides) != 2:
        raise _refuse(path, f"has the shape {shape}", "save an array of height x width")
    return sides[0], sides[1]


def ends_properly(path: Path) -> bool:
    """Whether a JPEG or PNG ends with its end marker, an EXR with its last chunk (True for other formats): a quick test
    for files cut short.

    A file with something after its pixels does not, such as the film that some phones append: reading it tells.
    """
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(max(0, path.stat().st_size - 12))
        end = file.read()
    if start.startswith(exr.MAGIC):
        return exr.is_whole(path)
    return end.endswith(b"\xff\xd9") if start[:2] == b"\xff\xd8" else start != PNG or end[4:8] == b"IEND"


def same_shape(map_size: Sequence[int], image_size: Sequence[int]) -> bool:
    """Whether a map of (height, width) can be resized to an image's: the same aspect ratio to a pixel or 2 %."""
    height, width = map_size
    return abs(width - image_size[1] * height / image_size[0]) <= max(1.0, 0.02 * width)


def turn_to_fit(
    what: Path | str, shape: Sequence[int], size: Sequence[int], photo: Path | Image.Image | None, turned: int = 0
) -> int:
    """The EXIF orientation that brings a map to the photo's shape: 1 as it is, or the photo's own.

    Args:
        what: the map's file, or what it is in words.
        shape, size: (height, width) of map and photo, each upright by its own EXIF.
        photo: a map without an orientation of its own may be turned as it is; None: not known.
        turned: the map's own orientation; 0: its file tells.

    Raises:
        BokehbenchError: another shape. The sentence has the sizes of the files.
    """
    if same_shape(shape, size):
        return 1
    lying = same_shape((shape[1], shape[0]), size)
    if lying and photo is not None and orientation_of(photo) >= 5 and (turned or orientation_of(Path(what))) == 1:
        return orientation_of(photo)
    named, how = photo if isinstance(photo, Path) else "the photo", "turned as it is" if lying else "uncropped"
    raise BokehbenchError(
        f"{what} of {shape[1]} x {shape[0]} does not fit {named} of {size[1]} x {size[0]}, it is of another shape: "
        f"give a map of the same picture, {how}."
    )


def orientation_of(picture: Path | Image.Image) -> int:
    """EXIF orientation of a picture, from the header alone; 1 for arrays."""
    if isinstance(picture, Image.Image):
        return orientation(picture)
    if picture.suffix.lower() in (".npy", ".exr"):
        return 1
    with readable(picture), open_header(picture) as image:
        return orientation(image, header_only=True)
    raise AssertionError("unreachable")
