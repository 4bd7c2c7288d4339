"""Where to look closer: the window in which methods differ most, near the border of what is in focus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def window(
    pictures: Sequence[np.ndarray], height: int, width: int, in_focus: np.ndarray | None = None
) -> tuple[int, int]:
    """Upper left corner (row, column) of the window of ``height`` x ``width`` pixels in which the pictures differ most.

    The choice knows no method's name and no score: it is the largest sum of the variance between pictures, counted,
    where a mask is given, along the mask's outline alone (in a band half as wide as the window is high).

    Args:
        pictures: H W 3 uint8 each, methods and target.
        height, width: at most those of the pictures.
        in_focus: H W bool.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    spread = np.stack([picture.astype(np.float64) for picture in pictures]).var(axis=0).mean(axis=-1)
    if in_focus is not None and in_focus.any() and not in_focus.all():
        reach = max(3, height // 2)
        near = maximum_filter(in_focus, reach) & ~minimum_filter(in_focus, reach)
        spread = np.where(near, spread, 0.0)
    sums = np.zeros((spread.shape[0] + 1, spread.shape[1] + 1))
    sums[1:, 1:] = spread.cumsum(0).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(row), int(column)
