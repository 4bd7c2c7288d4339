"""Two photos to a pair of pictures: read, judged, aligned, cropped, matched in exposure, scaled, written."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from bokehbench.data.image_io import write_photo
from bokehbench.data.pixels import read_pixels
from bokehbench.errors import BokehbenchError
from bokehbench.optics.linear_light import to_linear, to_srgb
from bokehbench.preparation.pairs.alignment import MOST_RESIDUAL, Kind, align, warped
from bokehbench.preparation.pairs.facts import Facts, read_facts
from bokehbench.preparation.pairs.geometry import Size, common_rectangle, opencv, resample, resized

#: Height of pictures that are aligned: as high as the result, within these limits.
LOWEST, HIGHEST = 1024, 2048
#: Of the narrow photo's area, the least that both show.
LEAST_OVERLAP = 0.6
#: Focal lengths, and scales of the two pictures, that differ by more than this factor are not of one lens setting.
MOST_ZOOM = 1.02, 1.1
#: Encoded values from which a gain is told: neither so dark that stray light counts, nor near to clipping.
DARKEST, BRIGHTEST = 0.2, 0.9
#: Two pictures of one moment differ by less, on average of 255.
SAME = 0.5


@dataclass(frozen=True)
class Settings:
    """Of the command: ``height`` None keeps the size; ``suffix`` of the files that are written."""

    align: Kind = "similarity"
    exposure: Literal["match", "keep"] = "match"
    height: int | None = 1024
    suffix: str = ".jpg"
    residual: float = MOST_RESIDUAL


@dataclass(frozen=True)
class Job:
    """Two photos and where their pair is written."""

    name: str
    narrow: Path
    wide: Path
    places: tuple[Path, Path]


@dataclass
class Outcome:
    """A row of the table: distances in pixels of the result; ``refused`` is None where the pair was written."""

    name: str
    narrow: str
    wide: str
    refused: str | None = None
    measured: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float | None] = field(default_factory=dict)


def make_pair(job: Job, settings: Settings) -> Outcome:
    """Write one pair, or say in the outcome why not; raises nothing for a fault of the photos."""
    outcome = Outcome(job.name, job.narrow.name, job.wide.name)
    try:
        facts = read_facts(job.narrow), read_facts(job.wide)
        of_both = zip(Facts._fields, *facts, strict=True)
        for name, narrow, wide in of_both:
            outcome.facts |= {f"{name}_narrow": narrow, f"{name}_wide": wide} if name != "time" else {}
        _refuse_facts(*facts)
        outcome.measured = _make(job, settings, not all(each.f_number for each in facts))
    except (BokehbenchError, MemoryError, opencv().error) as error:
        outcome.refused = str(error).rstrip(".") or type(error).__name__
        for place in job.places:
            place.unlink(missing_ok=True)
    return outcome


def _refuse_facts(narrow: Facts, wide: Facts) -> None:
    if narrow.f_number and wide.f_number:
        if wide.f_number == narrow.f_number:
            raise BokehbenchError(f"identical f-number: both photos are at f/{wide.f_number:g}.")
        if wide.f_number > narrow.f_number:
            both = f"the wide photo is at f/{wide.f_number:g}, the narrow one at f/{narrow.f_number:g}"
            raise BokehbenchError(f"f-numbers swapped: {both}.")
    one, other = narrow.focal_length, wide.focal_length
    if one and other and max(one, other) > MOST_ZOOM[0] * min(one, other):
        raise BokehbenchError(f"focal lengths differ: {one:g} and {other:g} mm.")


def _make(job: Job, settings: Settings, unknown: bool) -> dict[str, float]:
    """Write the pair and return what was measured; ``unknown``: EXIF does not say which aperture is the larger."""
    narrow, wide = read_pixels(job.narrow), read_pixels(job.wide)
    size: Size = (narrow.shape[0], narrow.shape[1])
    if wide.shape != narrow.shape:
        other = f"{wide.shape[1]} x {wide.shape[0]} pixels, as shown upright"
        raise BokehbenchError(f"sizes differ: {size[1]} x {size[0]} and {other}.")
    height = min(size[0], min(max(settings.height or size[0], LOWEST), HIGHEST))
    small: Size = (height, round(size[1] * height / size[0]))
    reduced = [_reduced(each, small) for each in (narrow, wide)]
    lumas = [opencv().cvtColor(each, opencv().COLOR_RGB2GRAY) for each in reduced]
    if np.abs(lumas[0].astype(int) - lumas[1]).mean() < SAME:
        raise BokehbenchError("same photo twice: the two do not differ.")
    found = align(lumas[0], lumas[1], settings.align, settings.residual)
    sharpness = found.sharpness
    if unknown and sharpness.sharper > max(sharpness.blurred, 0.05):
        raise BokehbenchError("swapped: the wide photo is the sharper one, and EXIF has no f-numbers.")
    scale = float(np.sqrt(np.abs(np.linalg.det(found.matrix[:2, :2]))))
    if max(scale, 1 / scale) > MOST_ZOOM[1]:
        raise BokehbenchError(f"scales differ: the wide photo shows things {scale:.2f} times as large.")
    matrix = resized(small, size) @ found.matrix @ resized(size, small)
    part = common_rectangle(matrix, size, size)
    overlap = part.size[0] * part.size[1] / (size[0] * size[1])
    if overlap < LEAST_OVERLAP:
        raise BokehbenchError(f"overlap: the photos share {overlap:.0%} of the view.")
    gains = np.ones(3)
    if settings.exposure == "match":
        gains = _gains(reduced[0], warped(reduced[1], found.matrix), sharpness.in_focus)
    shape = part.size
    if settings.height is not None and settings.height < shape[0]:
        shape = (settings.height, max(1, round(shape[1] * settings.height / shape[0])))
    of_result = shape[0] / part.size[0] * size[0] / small[0]
    to_narrow = resized(shape, part.size)
    to_narrow[:2, 2] += part.left, part.top
    both = (narrow, to_narrow, np.ones(3)), (wide, matrix @ to_narrow, gains)
    for place, (pixels, where, gain) in zip(job.places, both, strict=True):
        light = resample(_linear(pixels), where, shape, part.size[0] / shape[0]) * gain.astype(np.float32)
        write_photo(place, to_srgb(torch.from_numpy(light.transpose(2, 0, 1))))
    return {
        "matches": found.matches, "inliers": found.inliers, "residual_px": found.residual * of_result,
        "shift_px": found.shift * of_result, "shift_before_px": found.before * of_result, "scale": scale,
        "overlap": overlap, "blurred": sharpness.blurred, "gain_red": gains[0], "gain_green": gains[1],
        "gain_blue": gains[2], "width": shape[1], "height": shape[0],
    }  # fmt: skip


def _reduced(pixels: np.ndarray, size: Size) -> np.ndarray:
    """H W 3 uint8."""
    cv2 = opencv()
    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return small if small.dtype == np.uint8 else np.rint(small / 257.0).astype(np.uint8)


def _linear(pixels: np.ndarray) -> np.ndarray:
    """Linear light, float32 in [0, 1]."""
    levels = int(np.iinfo(pixels.dtype).max)
    return to_linear(torch.arange(levels + 1) / levels).numpy()[pixels]


def _gains(narrow: np.ndarray, wide: np.ndarray, region: np.ndarray) -> np.ndarray:
    """By which the wide picture's light is multiplied, a factor for each channel; aligned pictures H W 3 uint8."""
    both = [opencv().GaussianBlur(each, (0, 0), 1.5) for each in (narrow, wide)]
    usable = np.all([(each.min(-1) > DARKEST * 255) & (each.max(-1) < BRIGHTEST * 255) for each in both], axis=0)
    if not usable.any():
        raise BokehbenchError("exposure: every part is black or clipped in one of the photos.")
    chosen = usable & region if (usable & region).any() else usable
    light = [_linear(each[chosen]) for each in both]
    # The median, since blurred lights spill over what is in focus
    return np.asarray(np.median(light[0] / light[1], axis=0), float)
