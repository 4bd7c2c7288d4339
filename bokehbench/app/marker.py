"""Pictures for the page: photos as pixels, disparity in colours, and a ring where the focus is."""

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw
from torch import Tensor

from bokehbench.data.image_io import to_pixels

Point = tuple[int, int]


def shown(picture: Tensor, point: Point | None = None) -> np.ndarray:
    """B 3 H W in [0, 1] as H W 3 uint8, with a ring around ``point`` (column, row)."""
    return ringed(to_pixels(picture[0]), point)


def coloured(disparity: Tensor, point: Point | None = None) -> np.ndarray:
    """B 1 H W in [0, 1] as H W 3 uint8: dark = far, bright = near (magma, as in all our pictures)."""
    colours = colormaps["magma"](disparity[0, 0].clamp(0, 1).cpu().numpy(), bytes=True)
    return ringed(np.ascontiguousarray(colours[..., :3]), point)


def ringed(pixels: np.ndarray, point: Point | None) -> np.ndarray:
    """H W 3 uint8 with a white ring on black, seen on bright and dark ground alike."""
    if point is None:
        return pixels
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    unit = max(1.0, max(pixels.shape[:2]) / 400)
    for radius, width, colour in ((8, 4, "black"), (7.25, 2.2, "white")):
        box = [value + sign * radius * unit for sign in (-1, 1) for value in point]
        draw.ellipse(box, outline=colour, width=round(width * unit))
    return np.asarray(picture)
