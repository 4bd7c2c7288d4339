"""Photos as a camera's two apertures take them: ``from made_photos import scene, taken, save_photo``."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from bokehbench.preparation.pairs.geometry import resized

Base = ExifTags.Base


def scene(seed: int, size: tuple[int, int] = (480, 640)) -> np.ndarray:
    """A picture with details of every scale, H W 3 uint8."""
    rng = np.random.default_rng(seed)
    light = np.zeros((*size, 3), np.float32)
    for cells in (6, 12, 24, 48, 96):
        coarse = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32) * (0.6 + 0.4 * (cells > 20))
        light += cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC) * 22
    for _ in range(60):  # corners, which stay where they are when a picture is turned
        x, y, side = rng.uniform(0, size[1]), rng.uniform(0, size[0]), rng.uniform(0.02, 0.08) * size[0]
        box = cv2.boxPoints(((float(x), float(y)), (float(side), float(2 * side)), float(rng.uniform(0, 90))))
        cv2.fillPoly(light, [box.astype(np.int32)], [float(each) for each in rng.uniform(-70, 70, 3)])
    return np.clip(light + 120, 25, 215).astype(np.uint8)


def subject(size: tuple[int, int]) -> np.ndarray:
    """Bool H W: what is in focus, a disk in the middle."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (rows / size[0] - 0.5) ** 2 + ((columns - size[1] / 2) / size[0]) ** 2 < 0.3**2


def similarity(
    size: tuple[int, int], scale: float = 1.0, degrees: float = 0.0, x: float = 0.0, y: float = 0.0
) -> np.ndarray:
    """The 3 x 3 matrix that turns and scales about the middle, then shifts."""
    rows = cv2.getRotationMatrix2D(((size[1] - 1) / 2, (size[0] - 1) / 2), degrees, scale)
    rows[:, 2] += x, y
    return np.vstack([rows, (0, 0, 1)])


def taken(
    narrow: np.ndarray, matrix: np.ndarray, gains: tuple[float, float, float] = (1, 1, 1), blur: float = 0
) -> np.ndarray:
    """``narrow`` from a moved camera, brighter by ``gains`` in linear light, with a blurred background, uint8."""
    light = ((narrow.astype(np.float32) / 255 + 0.055) / 1.055) ** 2.4
    if blur:
        soft = cv2.GaussianBlur(light, (0, 0), blur)
        light = np.where(subject(narrow.shape[:2])[..., None], light, soft)
    finer = (2 * narrow.shape[0], 2 * narrow.shape[1])  # as sharp as the other, not as linear interpolation has it
    large = cv2.warpPerspective(light, resized(narrow.shape[:2], finer) @ matrix, finer[::-1],
                                flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
    light = cv2.resize(large, narrow.shape[1::-1], interpolation=cv2.INTER_AREA) * np.float32(gains)
    return np.rint((1.055 * light.clip(0.0031308, 1) ** (1 / 2.4) - 0.055) * 255).astype(np.uint8)


def save_photo(
    path: Path, pixels: np.ndarray, f_number: float | None = None, time: str | None = None, **more: float
) -> Path:
    """A JPEG or PNG with EXIF: f-number, ``2026:11:29 12:00:00``, and a place that nobody should learn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    inner = {Base.FNumber: f_number, Base.DateTimeOriginal: time, Base.FocalLength: more.get("focal_length")}
    exif[ExifTags.IFD.Exif] = {tag: value for tag, value in inner.items() if value is not None}
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (1.0, 2.0, 3.0)}
    exif[Base.Artist] = "Somebody"
    options = {"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}
    Image.fromarray(pixels).save(path, exif=exif, **options)
    return path
