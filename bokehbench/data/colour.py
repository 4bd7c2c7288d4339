"""Colours of a file to sRGB and back, by the curves and primaries of its profile. Starts without torch."""

import io
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

#: What is raised for a profile that cannot be used.
FAILURES = (ImageCms.PyCMSError, OSError, ValueError, KeyError, struct.error, np.linalg.LinAlgError)
Curve = Callable[[np.ndarray], np.ndarray]
#: Rows that are converted at once: enough for speed, few enough for memory.
ROWS = 256
D65 = (0.3127, 0.329)
SRGB, ADOBE = (D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)), (D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
#: Numbers of primaries (ITU-T H.273, table 2) -> white, red, green and blue as (x, y); of curves (table 3) -> exponent,
#: 0: that of sRGB, as viewers take those of video, too. PQ and HLG are not among them.
SPACES = {1: SRGB, 2: SRGB, 9: (D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
          12: (D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))}  # fmt: skip
EXPONENTS = {1: 0, 2: 0, 4: 2.2, 5: 2.8, 6: 0, 8: 1, 13: 0, 14: 0, 15: 0}


def in_srgb(colours: np.ndarray, image: Image.Image) -> tuple[np.ndarray, bytes | None, list[str]]:
    """Pixels of an RGB or grey ``image`` as sRGB, by its profile, or what its file says in its place.

    ``colours`` are H W 3 uint8 or uint16 of full range, as the pixels returned; with them come the profile to write
    them with (None: sRGB), and notes.
    """
    profile, source = image.info.get("icc_profile"), "its own colour profile"
    try:
        if profile:
            if fit(profile)[0]:
                return colours, profile if fit(profile)[1] else None, []
            colours, clipped = to_srgb(colours, profile)
        else:
            source = "the colours that its file declares"
            space, exponent = _declared(image)
            matrix = np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(space)
            if not exponent and np.abs(matrix - np.eye(3)).max() < 0.02:
                return colours, None, []
            colours, clipped = _converted(colours, matrix, [lambda x: x**exponent if exponent else _light(x)] * 3)
    except FAILURES:
        what = "its colour profile" if profile else "what it says of its colours"
        return colours, None, [f"{what} cannot be used: taken as sRGB"]
    notes = [f"converted from {source} to sRGB", *(["colours outside of sRGB were clipped"] if clipped else [])]
    return colours, profile if profile and fit(profile)[1] else None, notes


def _declared(image: Image.Image) -> tuple[Any, float]:
    """White, red, green and blue as (x, y), and the exponent (0: sRGB's curve), of a picture without a profile.

    Raises:
        KeyError, ValueError: no curve or primaries that are known here, or numbers that cannot be.
    """
    said: dict[Any, Any] = image.info
    if points := said.get("cicp"):
        return SPACES[points[0]], EXPONENTS[points[1]]
    if _is_adobe(image):
        return ADOBE, 563 / 256
    tags = getattr(image, "tag_v2", {})
    numbers = said.get("chromaticity") or (*tags.get(318, ()), *tags.get(319, ()))  # of a PNG, of a TIFF
    gamma = 0 if "srgb" in said else said.get("gamma", 0)
    exponent = 1 / gamma if gamma and abs(1 / gamma - 2.2) > 0.05 else 0
    if "srgb" in said or len(numbers) != 8:
        return SRGB, exponent
    pairs = np.array(numbers, float).reshape(4, 2)
    if not ((pairs > 0) & (pairs < 1)).all():
        raise ValueError("no such colours")
    return pairs, exponent


def _is_adobe(image: Image.Image) -> bool:
    """Whether its EXIF says Adobe RGB, as cameras do (DCF 2.0)."""
    with suppress(Exception):  # bad metadata is not bad pixels
        exif = image.getexif()
        if exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace) == 2:
            return True
        return str(exif.get_ifd(ExifTags.IFD.Interop).get(1)).startswith("R03")
    return False


def _to_xyz(space: Any) -> np.ndarray:
    """The matrix from a space's light to XYZ in which its white is that of sRGB."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in space]).T
    white = np.array([D65[0] / D65[1], 1, (1 - sum(D65)) / D65[1]])
    scaled = columns[:, 1:] * (white / columns[:, 0])[:, None]
    return np.asarray(scaled * np.linalg.solve(scaled, white))


def _light(values: np.ndarray) -> np.ndarray:
    """sRGB's curve (IEC 61966-2-1): value in [0, 1] to light."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def separated(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    """A CMYK or L*a*b* picture as H W 3 uint8 in sRGB, and notes."""
    profile = image.info.get("icc_profile")
    if image.mode == "LAB":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    with suppress(*FAILURES):
        if profile:
            return np.asarray(littlecms(image, profile)), ["converted from its own colour profile to sRGB"]
    why = "its colour profile cannot be used" if profile else "no colour profile"
    return np.asarray(image.convert("RGB")), [f"{image.mode} was converted by a plain formula: {why}"]


def to_8_bit(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16 of full range to uint8, rounded."""
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def to_srgb(pixels: np.ndarray, profile: bytes) -> tuple[np.ndarray, bool]:
    """H W 3 uint8 or uint16 in an RGB or grey ``profile`` as sRGB, and whether colours outside of it are clipped.

    Profiles of curves and a matrix are computed at full depth, others by LittleCMS with 8 bits.

    Raises:
        FAILURES: the profile cannot be used.
    """
    if model := _model(profile):
        return _converted(pixels, *model)
    return np.asarray(littlecms(Image.fromarray(to_8_bit(pixels)), profile)), True


def littlecms(picture: Image.Image, profile: bytes, back: bool = False) -> Image.Image:
    """A picture of 8 bits in the colours of ``profile`` as sRGB; ``back``: an sRGB picture in those of ``profile``."""
    own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    one, other = (srgb, own) if back else (own, srgb)
    converted = ImageCms.profileToProfile(picture, one, other, outputMode="RGB")
    assert converted is not None
    return converted


@lru_cache(8)
def fit(profile: bytes) -> tuple[bool, bool]:
    """Whether a profile is that of sRGB, whatever it is called, and whether pictures may be written in it.

    It is sRGB's if no colour changes by more than a rounding. Written with 8 bits, linear ones would lose the shadows.
    """
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    same = written = False
    with suppress(*FAILURES):
        same = bool(np.abs(to_srgb(cube, profile)[0].astype(int) - cube).max() <= 1)
        there = np.asarray(littlecms(Image.fromarray(ramp), profile, back=True))
        # A JPEG holds 16 MB of profile, others less
        written = len(profile) < 10**6 and bool(np.abs(to_srgb(there, profile)[0].astype(int) - ramp).max() <= 4)
    return same, written


def _converted(pixels: np.ndarray, matrix: np.ndarray, curves: Sequence[Curve]) -> tuple[np.ndarray, bool]:
    largest = int(np.iinfo(pixels.dtype).max)
    levels = np.linspace(0, 1, largest + 1)
    tables = [np.nan_to_num(curve(levels)).astype(np.float32) for curve in curves]
    result, clipped = np.empty_like(pixels), False
    for top in range(0, len(pixels), ROWS):
        rows = pixels[top : top + ROWS]
        light = np.stack([table[rows[..., channel]] for channel, table in enumerate(tables)], -1)
        light = light @ matrix.T.astype(np.float32)
        clipped |= bool((light < -0.001).any() or (light > 1.005).any())
        light = light.clip(0, 1)
        result[top : top + ROWS] = np.rint(encoded(light) * largest)
    return result, clipped


def encoded(light: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1], of any shape, by the curve of sRGB (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _model(profile: bytes) -> tuple[np.ndarray, list[Curve]] | None:
    """The matrix from a profile's light to that of sRGB and its three curves; None: it has tables instead."""
    tags = {}
    for entry in range(min(struct.unpack_from(">I", profile, 128)[0], 100)):
        name, start, length = struct.unpack_from(">4sII", profile, 132 + 12 * entry)
        tags[name] = profile[start : start + length]
    kind, connection = profile[16:20], profile[20:24]
    if b"A2B0" in tags or connection != b"XYZ ":
        return None
    if kind == b"GRAY":
        return np.eye(3), [_curve(tags[b"kTRC"])] * 3
    columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    # ICC profiles are relative to D50, as these columns of sRGB's own (IEC 61966-2-1, adapted by Bradford)
    srgb = np.array([[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]]).T
    return np.linalg.inv(srgb) @ (np.array(columns).T / 65536), curves


def _curve(tag: bytes) -> Curve:
    """A curve of an ICC profile (ICC.1:2022, 10.6 and 10.18): value in [0, 1] to light."""
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count > 1:
            return lambda x: np.interp(x, np.linspace(0, 1, count), table / 65535)
        return lambda x: x ** (table[0] / 256 if count else 1)
    if tag[:4] != b"para":
        raise ValueError("no curve")
    form = struct.unpack_from(">H", tag, 8)[0]
    g, a, b, c, d, e, f = [*np.frombuffer(tag, ">i4", (1, 3, 4, 5, 7)[min(form, 4)], 12) / 65536, *[0.0] * 6][:7]
    if form == 0:
        return lambda x: x**g
    # The first two forms say where the line ends by a and b
    if form < 3:
        c, d, e, f = 0.0, -b / a, c, c
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
