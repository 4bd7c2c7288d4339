"""Where pixels of two photos lie on one another: 3 x 3 matrices between pixel centres, and one resampling."""

from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np

from bokehbench.errors import BokehbenchError

Size = tuple[int, int]


def opencv() -> Any:
    """OpenCV on one thread, since photos are worked on side by side; BokehbenchError where it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise BokehbenchError("Aligning photos needs OpenCV: pip install 'bokehbench[align]'.") from error
    cv2.setNumThreads(1)
    return cv2


class Rectangle(NamedTuple):
    """A part of a picture in whole pixels; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.bottom - self.top, self.right - self.left


def resized(old: Size, new: Size) -> np.ndarray:
    """The matrix from pixels of a picture of (height, width) ``old`` to those of itself resized to ``new``."""
    y, x = new[0] / old[0], new[1] / old[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points N 2, as (x, y), where ``matrix`` takes them."""
    there = np.c_[points, np.ones(len(points))] @ matrix.T
    return there[:, :2] / there[:, 2:]


def common_rectangle(matrix: np.ndarray, narrow: Size, wide: Size) -> Rectangle:
    """The part of the narrow photo that the wide one shows whole, for turns far below 45 degrees.

    Args:
        matrix: from the narrow photo's pixels to the wide one's.
        narrow, wide: (height, width) of the photos.

    Returns:
        A rectangle of the narrow photo, whose pixels lie between centres of pixels of the wide one; it may be empty.
    """
    right, bottom = wide[1] - 1, wide[0] - 1
    corners = np.array([(0, 0), (right, 0), (right, bottom), (0, bottom)])
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = moved(np.linalg.inv(matrix), corners).round(6)
    left, top = max(0, ceil(max(ax, dx))), max(0, ceil(max(ay, by)))
    right, bottom = min(narrow[1], floor(min(bx, cx)) + 1), min(narrow[0], floor(min(cy, dy)) + 1)
    return Rectangle(left, top, max(left, right), max(top, bottom))


def resample(pixels: np.ndarray, matrix: np.ndarray, size: Size, reduction: float) -> np.ndarray:
    """A picture at ``size``, in one resampling, averaged over the area of each pixel where it is made smaller.

    Args:
        pixels: H W C float32, in linear light.
        matrix: from pixels of the result to those of ``pixels``.
        size: (height, width) of the result.
        reduction: how many pixels of ``pixels`` a side of a new pixel has.
    """
    cv2 = opencv()
    if size == pixels.shape[:2] and np.allclose(matrix, np.eye(3), atol=1e-9):
        return pixels
    finer = max(1, ceil(reduction - 0.05))
    fine = (finer * size[0], finer * size[1])
    how = (cv2.INTER_LINEAR if finer > 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    found = cv2.warpPerspective(
        pixels, matrix @ resized(fine, size), fine[::-1], flags=how, borderMode=cv2.BORDER_REFLECT_101
    )
    return found if finer == 1 else cv2.resize(found, size[::-1], interpolation=cv2.INTER_AREA)
