"""Rounding to what a picture file can hold."""

from __future__ import annotations

from bokehbench.lazy import Tensor


def to_8bit(image: Tensor, truncate: bool = False) -> Tensor:
    """Clamp to [0, 1] and round to the nearest multiple of 1/255 (ties to even, as NumPy rounds); NaN stays NaN.

    The default protocol scores what a reader of the saved file would see (protocols.md 3d).

    Args:
        image: any shape, floating point, left as it is.
        truncate: round down instead, as ``(255 * x).astype(uint8)`` does, which darkens by half a level on average.
    """
    levels = image.clamp(0, 1).mul_(255)
    # k/255*255 may fall a rounding error short of k, and a level that is already whole must stay.
    return (levels.add_(1e-3).floor_() if truncate else levels.round_()).div_(255)
