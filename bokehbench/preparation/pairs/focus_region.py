"""Where a photo at a large aperture is in focus: where it is as sharp as the one at a small aperture."""

from typing import NamedTuple

import numpy as np

from bokehbench.preparation.pairs.geometry import opencv

#: Sharpness of the wide photo over that of the narrow one, above which it counts as in focus, and below as blurred.
AS_SHARP, BLURRED = 0.65, 0.5
#: Side of the window that sharpness is measured in, as a part of the height.
WINDOW = 1 / 48


class Sharpness(NamedTuple):
    """``in_focus``: bool H W. ``blurred``, ``sharper``: shares of the picture's texture that are blurrier and sharper
    in the wide photo than in the narrow one."""

    in_focus: np.ndarray
    blurred: float
    sharper: float


def compare_sharpness(narrow: np.ndarray, wide: np.ndarray) -> Sharpness:
    """Compare two aligned pictures H W, uint8 or float in [0, 255]; a factor between their exposures does not count."""
    cv2 = opencv()
    height = len(narrow)
    window = max(2.0, height * WINDOW)
    narrow_detail, wide_detail = (_contrast(each, window) for each in (narrow, wide))
    # Half of a photograph has texture at least; below that level lies noise
    floor = max(0.25 * float(np.median(narrow_detail)), 1e-3)
    texture = narrow_detail > floor
    ratio = wide_detail / np.maximum(narrow_detail, floor)
    shares = [float((texture & part).sum() / max(1, texture.sum())) for part in (ratio < BLURRED, ratio > 1 / BLURRED)]
    sharp = (texture & (ratio > AS_SHARP)).astype(np.uint8)
    # A subject is one piece: its smooth parts belong to it, single sharp spots in the blur do not
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(window) + 1,) * 2)
    sharp = cv2.morphologyEx(cv2.morphologyEx(sharp, cv2.MORPH_CLOSE, disk), cv2.MORPH_OPEN, disk)
    return Sharpness(sharp.astype(bool), *shares)


def details(picture: np.ndarray) -> np.ndarray:
    """The finest details of a picture H W in [0, 255], float32: of its logarithm, so that exposure cancels out."""
    cv2 = opencv()
    logarithm = np.log(picture.astype(np.float32) + 12)
    return np.asarray(cv2.GaussianBlur(logarithm, (0, 0), 1) - cv2.GaussianBlur(logarithm, (0, 0), 2))


def _contrast(picture: np.ndarray, window: float) -> np.ndarray:
    return np.sqrt(opencv().GaussianBlur(details(picture) ** 2, (0, 0), window / 2))
