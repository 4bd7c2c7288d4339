"""Files to pixel arrays: every way in which a file can be bad ends in one sentence that names it."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, features

from bokehbench.errors import BokehbenchError

#: Suffixes of picture files, in lower case.
PICTURE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff", ".webp", ".bmp", ".dib", ".ppm", ".pgm", ".pnm",
    *([".avif"] if "avif" in features.modules and features.check("avif") else []),
)  # fmt: skip
#: Suffixes of map files (disparity, depth, masks), in lower case.
MAP_SUFFIXES = (".npy", ".pfm", *PICTURE_SUFFIXES)
#: Larger pictures are refused before a pixel is decoded: they would not fit into memory as float32.
MAX_PIXELS = 178_000_000
ORIENTATION_TAG = 0x0112


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
        raise _refuse(path, f"is not {what} that can be read") from error
    except MemoryError as error:
        raise _refuse(path, "does not fit into memory", "make it smaller first") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, zlib.error, ValueError ...
        raise _refuse(path, f"is corrupt or truncated ({str(error).rstrip('.') or type(error).__name__})") from error


def open_header(path: Path) -> Image.Image:
    """Open without decoding; call inside :func:`readable`."""
    # Pillow 13 scrambles turned TIFFs that it maps into memory; it cannot map bytes.
    image = Image.open(io.BytesIO(path.read_bytes()) if path.suffix.lower() in (".tif", ".tiff") else path)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError
    return image


def orientation(image: Image.Image, header_only: bool = False) -> int:
    """EXIF orientation, 1 (upright) to 8. For pixels ask after ``load()``: Pillow turns TIFFs itself, then says 1."""
    if header_only and image.format == "PNG":
        exif = Image.Exif()  # a PNG's own getexif() decodes the pixels
        exif.load(image.info.get("exif", b""))
    else:
        exif = image.getexif()
    value = exif.get(ORIENTATION_TAG, 1)
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
    """Whether a JPEG or PNG has its end marker: a quick test for files cut short (True for other formats)."""
    suffix = path.suffix.lower()
    markers = {".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9", ".png": b"IEND"}
    if suffix not in markers:
        return True
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 65536))
        return markers[suffix] in file.read()


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
    if picture.suffix.lower() == ".npy":
        return 1
    with readable(picture), open_header(picture) as image:
        return orientation(image, header_only=True)
    raise AssertionError("unreachable")
