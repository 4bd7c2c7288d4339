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
from bokehbench.optics.thin_lens import aperture_at, positive

#: Candidates of the first pass, in pixels of a picture 1024 high.
GRID = (0.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 40.0, 48.0, 64.0, 80.0, 96.0, 128.0)


class Fit(NamedTuple):
    """The best aperture with its mean squared error (sRGB in [0, 1]), and the errors of all that were tried.

    ``f_number`` is that of the aperture, the smallest of the targets'; None: not known.
    """

    aperture_at_1024: float
    error: float
    tried: list[tuple[float, float]]
    f_number: float | None = None

    @property
    def aperture_at_f1(self) -> float | None:
        """What :class:`bokehbench.data.f_number.FNumber` takes; None: no f-number is known."""
        return None if self.f_number is None else aperture_at(1.0, self.aperture_at_1024, self.f_number)


def fit_aperture(
    pictures: PictureSet,
    height: int = 512,
    count: int = 50,
    tolerance: float = 0.5,
    renderer: Renderer = "layered",
    f_number: float | None = None,
) -> Fit:
    """Minimise the mean squared error of the rendered to the true bokeh over up to ``count`` evenly spaced pictures.

    Pictures are reduced to ``height`` first; the grid's best candidate is refined by Brent's method to
    ``tolerance`` pixels. The error is not convex in general, hence the grid. Where targets have f-numbers (the item's
    ``f_number``, else the one given for all), each is rendered with its share of the aperture of the smallest, and
    targets without one are left out.

    Raises:
        BokehbenchError: an f-number that is not above 0, a picture without target or disparity, or an unknown renderer.
    """
    if len(pictures) == 0 or count < 1 or height < 16:
        raise BokehbenchError("An aperture needs at least one training pair to fit, and a height of 16 or more.")
    chosen = sorted({round(i) for i in np.linspace(0, len(pictures) - 1, min(count, len(pictures)))})
    items = [_small(pictures[i], height) for i in tqdm(chosen, desc="reading", unit="picture", delay=2, leave=False)]
    numbers = np.array([float(item.get("f_number", np.nan)) for item in items])
    if f_number is not None:
        numbers[np.isnan(numbers)] = f_number
    shares, widest, known = np.ones(len(items)), None, ~np.isnan(numbers)
    if known.any():
        items = [item for item, there in zip(items, known, strict=True) if there]
        widest = float(numbers[known].min())
        positive("f-number of a target", widest)
        shares = widest / numbers[known]
    tried: dict[float, float] = {}
    bar = tqdm(desc="fitting the aperture", unit=" radii", delay=2, leave=False)

    def error(aperture: float) -> float:
        aperture = float(aperture)  # SciPy's are its own
        if aperture not in tried:
            radii = [torch.tensor(aperture * float(share) * height / REFERENCE_HEIGHT) for share in shares]
            outputs = (
                render_reference(i["image"], i["disparity"], i["focus"], radius, renderer)
                for i, radius in zip(items, radii, strict=True)
            )
            errors = [float((output - i["bokeh"]).square().mean()) for output, i in zip(outputs, items, strict=True)]
            tried[aperture] = float(np.mean(errors))
            bar.update()
        return tried[aperture]

    best = min(range(len(GRID)), key=lambda i: error(GRID[i]))
    bracket = GRID[max(0, best - 1)], GRID[min(len(GRID) - 1, best + 1)]
    minimize_scalar(error, bounds=bracket, method="bounded", options={"xatol": tolerance})
    bar.close()
    aperture = min(tried, key=tried.__getitem__)
    return Fit(aperture, tried[aperture], sorted(tried.items()), widest)


def _small(item: Item, height: int) -> Item:
    for key in ("bokeh", "disparity"):
        if key not in item:
            raise BokehbenchError(f"Fitting an aperture needs a {key} for '{item['name']}', which has none.")
    width = max(1, round(item["image"].shape[-1] * height / item["image"].shape[-2]))
    return resize_item(item, height, width)
