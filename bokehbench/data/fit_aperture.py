"""The one aperture under which a reference renderer explains a data set's targets best."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from tqdm import tqdm

from bokehbench.data.augment import Item, resize_item
from bokehbench.data.base import PictureSet
from bokehbench.data.focus import REFERENCE_HEIGHT
from bokehbench.data.rendering import Renderer, render_reference
from bokehbench.errors import BokehbenchError

#: Candidates of the first pass, in pixels of a picture 1024 high.
GRID = (0.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 40.0, 48.0, 64.0, 80.0, 96.0, 128.0)


class Fit(NamedTuple):
    """The best aperture with its mean squared error (sRGB in [0, 1]), and the errors of all that were tried."""

    aperture_at_1024: float
    error: float
    tried: list[tuple[float, float]]


def fit_aperture(
    pictures: PictureSet, height: int = 512, count: int = 50, tolerance: float = 0.5, renderer: Renderer = "layered"
) -> Fit:
    """Minimise the mean squared error of the rendered to the true bokeh over up to ``count`` evenly spaced pictures.

    Pictures are reduced to ``height`` first; the grid's best candidate is refined by Brent's method to
    ``tolerance`` pixels. The error is not convex in general, hence the grid.

    Raises:
        BokehbenchError: a picture without target or disparity, or an unknown renderer.
    """
    if len(pictures) == 0 or count < 1 or height < 16:
        raise BokehbenchError("An aperture needs at least one training pair to fit, and a height of 16 or more.")
    chosen = sorted({round(i) for i in np.linspace(0, len(pictures) - 1, min(count, len(pictures)))})
    items = [_small(pictures[i], height) for i in tqdm(chosen, desc="reading", unit="picture", delay=2, leave=False)]
    tried: dict[float, float] = {}
    bar = tqdm(desc="fitting the aperture", unit=" radii", delay=2, leave=False)

    def error(aperture: float) -> float:
        aperture = float(aperture)  # SciPy's are its own
        if aperture not in tried:
            radius = torch.tensor(aperture * height / REFERENCE_HEIGHT)
            outputs = (render_reference(i["image"], i["disparity"], i["focus"], radius, renderer) for i in items)
            errors = [float((output - i["bokeh"]).square().mean()) for output, i in zip(outputs, items, strict=True)]
            tried[aperture] = float(np.mean(errors))
            bar.update()
        return tried[aperture]

    best = min(range(len(GRID)), key=lambda i: error(GRID[i]))
    bracket = GRID[max(0, best - 1)], GRID[min(len(GRID) - 1, best + 1)]
    minimize_scalar(error, bounds=bracket, method="bounded", options={"xatol": tolerance})
    bar.close()
    aperture = min(tried, key=tried.__getitem__)
    return Fit(aperture, tried[aperture], sorted(tried.items()))


def _small(item: Item, height: int) -> Item:
    for key in ("bokeh", "disparity"):
        if key not in item:
            raise BokehbenchError(f"Fitting an aperture needs a {key} for '{item['name']}', which has none.")
    width = max(1, round(item["image"].shape[-1] * height / item["image"].shape[-2]))
    return resize_item(item, height, width)
