"""Pictures for the page: photos as pixels, disparity in colours, and a ring where the focus is."""

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from bokehbench.pictures import shown

Point = tuple[int, int]


def marked(picture: Tensor, point: Point | None = None) -> np.ndarray:
    """The first of B C H W in [0, 1] as H W 3 uint8, a map in colours (:func:`~bokehbench.pictures.shown`).

    Around ``point`` (column, row) is a white ring on black, seen on bright and dark ground alike.
    """
    pixels = shown(picture[0], 1)
    if point is None:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(image)
    unit = max(1.0, max(pixels.shape[:2]) / 400)
    for radius, width, colour in ((8, 4, "black"), (7.25, 2.2, "white")):
        box = [value + sign * radius * unit for sign in (-1, 1) for value in point]
        draw.ellipse(box, outline=colour, width=round(width * unit))
    return np.asarray(image)
