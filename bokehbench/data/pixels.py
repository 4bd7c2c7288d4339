"""Picture files to arrays: any pixel format and colour profile to sRGB, upright, and back. Starts without torch."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from bokehbench.data.decoding import ORIENTATION_TAG, open_header, orientation, readable, upright

#: What LittleCMS raises for a profile that it cannot use.
FAILURES = (ImageCms.PyCMSError, OSError, ValueError)
_Decoded = tuple[np.ndarray, bytes | None, tuple[str, ...]]


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
        pixels, profile, notes = to_srgb_pixels(path, image)
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


def to_srgb_pixels(path: Path | None, image: Image.Image) -> _Decoded:
    """Decode a picture, opened from ``path`` or made: H W 3 uint8 or uint16 in sRGB, RGB profile, notes."""
    profile = image.info.get("icc_profile")
    if path is not None and _is_deep_colour_png(path):
        pixels, notes = _deep_colour_png(path)
        if not profile or _is_srgb(profile):
            return pixels, profile, notes
        image = Image.fromarray((pixels >> 8).astype(np.uint8))
        return _with_profile(image, profile, (*notes, "read through 8 bit, because of its colour profile"))
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _deep_grey(image), None, ()
    image.load()
    image, flat_notes = _flatten(image)
    if profile and not _is_srgb(profile):
        return _with_profile(image, profile, flat_notes)
    keep = profile if image.mode == "RGB" else None
    return np.asarray(image.convert("RGB")), keep, flat_notes


def from_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """An sRGB picture in the colours of an RGB ``profile`` (the same picture, where LittleCMS cannot)."""
    with suppress(*FAILURES):
        if not _is_srgb(profile):
            target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, srgb, target, outputMode="RGB") or picture
    return picture


def _flatten(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Alpha over white: what most viewers show for a cut-out."""
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return (image.convert("RGB") if image.mode in ("P", "1", "HSV", "YCbCr") else image), ()
    rgba = image.convert("RGBA")
    if (np.asarray(rgba.getchannel("A")) == 255).all():
        return rgba.convert("RGB"), ()
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB"), ("transparent parts were put over white",)


def _is_srgb(profile: bytes) -> bool:
    with suppress(*FAILURES):
        return "srgb" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).lower()
    return False


def _with_profile(image: Image.Image, profile: bytes, notes: tuple[str, ...]) -> _Decoded:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert converted is not None
    except FAILURES:
        return np.asarray(image.convert("RGB")), None, (*notes, "its colour profile cannot be used: taken as sRGB")
    # A CMYK or grey profile does not fit the RGB file that is written back.
    keep = profile if image.mode == "RGB" else None
    return np.asarray(converted), keep, (*notes, "converted from its own colour profile to sRGB")


def _deep_grey(image: Image.Image) -> np.ndarray:
    """16-bit or float greyscale as H W 3 uint16 of full range."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise ValueError("NaN or infinite values")
        if values.min() < 0 or values.max() > 1:
            raise ValueError("float values outside 0 .. 1")
        values = values * 65535
    return np.repeat(values.clip(0, 65535).round().astype(np.uint16)[..., None], 3, axis=2)


def _is_deep_colour_png(path: Path) -> bool:
    """Whether the file is a PNG of 16 bits per channel with colour or alpha, which Pillow cuts to 8 bits."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[:8] == b"\x89PNG\r\n\x1a\n" and header[24] == 16 and header[25] in (2, 4, 6)


def _deep_colour_png(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    # Here, because it starts slowly and few pictures need it.
    import torch
    from torchvision.io import ImageReadMode, decode_image, read_file  # type: ignore[import-untyped]

    planes = decode_image(read_file(str(path)), ImageReadMode.RGB_ALPHA).to(torch.int32).numpy()
    colours, alpha = planes[:3].transpose(1, 2, 0), planes[3, ..., None].astype(np.float64) / 65535
    if (alpha == 1).all():
        return colours.astype(np.uint16), ()
    flat = (colours * alpha + 65535 * (1 - alpha)).round().astype(np.uint16)
    return flat, ("transparent parts were put over white",)
