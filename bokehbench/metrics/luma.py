"""Brightness of an RGB picture."""

from bokehbench.lazy import Tensor


def luma(image: Tensor) -> Tensor:
    """ITU-R BT.601 luma 0.299 R + 0.587 G + 0.114 B of gamma-encoded RGB: ... 3 H W to ... H W, same range."""
    red, green, blue = image.unbind(-3)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def studio_luma(image: Tensor) -> Tensor:
    """The Y of limited-range YCbCr (BT.601), in [16/255, 235/255], as super-resolution scores it: ... 1 H W."""
    red, green, blue = image.unbind(-3)
    return ((65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255).unsqueeze(-3)
