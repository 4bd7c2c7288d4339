"""Photos, from any file that people have to the tensors of the batch, and back."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bokehbench.data import metadata
from bokehbench.data.colour import fit, littlecms
from bokehbench.data.pixels import decode
from bokehbench.errors import BokehbenchError
from bokehbench.files import write_atomic

#: What write_photo can write, and how.
WRITE_OPTIONS: dict[str, dict[str, object]] = {
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".png": {"format": "PNG"},
    ".webp": {"format": "WEBP", "quality": 95},
    # Uncompressed: with compression Pillow cannot write the part of EXIF that tells of the exposure.
    ".tif": {"format": "TIFF"},
    ".tiff": {"format": "TIFF"},
}
#: Pixels of a side that a format can hold.
LARGEST_SIDES = {"JPEG": 65_500, "WEBP": 16_383}


@dataclass(frozen=True)
class Photo:
    """A photo as read, with what is needed to write one like it.

    ``image`` is 3 H W float32 in [0, 1], sRGB, upright. ``icc_profile`` is the file's RGB colour profile (None = sRGB)
    and ``exif`` what is written of its EXIF metadata, with the orientation set to upright. ``notes`` says what was
    changed in reading, and left out.
    """

    image: Tensor
    icc_profile: bytes | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()


def read_rgb(path: str | Path) -> Tensor:
    """A picture of any kind as 3 H W float32 in [0, 1], sRGB, upright; see :func:`read_photo`."""
    return read_photo(path).image


def read_photo(path: str | Path) -> Photo:
    """Read a photo: 8 or 16 bit; RGB, greyscale, palette, CMYK; alpha is flattened over white.

    The EXIF orientation is applied. A colour profile other than sRGB is converted to sRGB, at full depth where it
    consists of curves and a matrix; where it cannot be used, the values are taken as sRGB; ``notes`` tells.

    Raises:
        BokehbenchError: the file is missing, empty, corrupt, truncated, no picture, or too large.
    """
    pixels, photo_info = decode(Path(path))
    return Photo(to_tensor(pixels), *photo_info)


def to_tensor(pixels: np.ndarray) -> Tensor:
    """H W C uint8 or uint16 of full range to C H W float32 in [0, 1]."""
    scale = np.float32(np.iinfo(pixels.dtype).max)
    # Transposing the bytes before they become floats moves a quarter of the memory.
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return torch.from_numpy(planes.astype(np.float32)).div_(float(scale))


def to_pixels(image: Tensor) -> np.ndarray:
    """3 H W or 1 H W in [0, 1] to H W 3 uint8, rounded; out-of-range values are clipped, NaN becomes 0."""
    image = image.detach().float().cpu().nan_to_num(0.0).clamp(0, 1).mul(255).round().to(torch.uint8)
    return image.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()


def write_photo(path: str | Path, image: Tensor, like: Photo | None = None) -> None:
    """Write 3 H W in [0, 1] (sRGB) as 8 bit, in the colour profile and with the EXIF block of ``like``.

    The file appears whole or not at all.

    Raises:
        BokehbenchError: a suffix that cannot be written, a picture too long for it, or a place that cannot.
    """
    path = Path(path)
    options = WRITE_OPTIONS.get(path.suffix.lower())
    if options is None:
        raise BokehbenchError(f"{path}: cannot write '{path.suffix}' files: use {', '.join(WRITE_OPTIONS)}.")
    picture = Image.fromarray(to_pixels(image))
    if (most := LARGEST_SIDES.get(str(options["format"]), max(picture.size))) < max(picture.size):
        raise BokehbenchError(f"{path}: '{path.suffix}' files have at most {most} pixels a side: write .png or .tif.")
    extra: dict[str, object] = {}
    if like is not None and like.icc_profile is not None and fit(like.icc_profile)[1]:
        picture = picture if fit(like.icc_profile)[0] else littlecms(picture, like.icc_profile, back=True)
        extra["icc_profile"] = like.icc_profile
    if like is not None and like.exif is not None:
        extra |= metadata.write_options(like.exif, str(options["format"]))
    write_atomic(path, lambda file: picture.save(file, **options, **extra))  # type: ignore[arg-type]
