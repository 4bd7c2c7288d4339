"""The search of matched strength: one photo, rendered with every aperture of a grid, and the best of them."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from bokehbench.batch import Batch, known
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.matched import MatchedStrength, best
from bokehbench.metrics.measurement import sample_of
from bokehbench.metrics.sample import Tried
from bokehbench.metrics.ssim import ssim
from bokehbench.models.rendering import Rendering
from bokehbench.models.renders import Renders


def match_strength(model: Renders, batch: Batch, search: MatchedStrength) -> tuple[Tensor, list[Tried]]:
    """The renderings of a batch that score best, B 3 H W, and all that was tried for each picture, what was told first.

    The score is the SSIM with the 11 x 11 Gaussian of 8-bit pictures at native size.

    Raises:
        BokehbenchError: a picture has no target.
    """
    if not bool(known(batch, "bokeh").all()):
        raise BokehbenchError(
            f"{', '.join(batch['name'])}: there is no target to match the strength to: leave out --matched."
        )
    found = [_Search(model, _item(batch, n), search) for n in range(len(batch["image"]))]
    return torch.cat([each.picture for each in found]), [tuple(each.tried) for each in found]


def _item(batch: Batch, n: int) -> Batch:
    return {key: value[n : n + 1] for key, value in batch.items()}  # type: ignore[index, return-value]


class _Search:
    """One picture's: ``picture`` is the best rendering."""

    def __init__(self, model: Renders, batch: Batch, search: MatchedStrength) -> None:
        self.model, self.batch, self.tried = model, batch, []  # type: ignore[var-annotated]
        told = model.render_batch(batch)
        focus, aperture = _number(told.focus), _number(told.aperture)
        self.keep(aperture, focus, told)
        given: dict[str, Any] = model.given(batch)
        self.focus = given.pop("focus", None)  # where none is known the method's own choice stays
        given.pop("aperture", None)
        side = max(batch["image"].shape[-2:])
        apertures = _with(aperture, [share * side for share in search.aperture_shares])
        focuses = _with(focus, search.focuses) if search.focuses else []
        if not apertures and not focuses:
            return  # it obeys nothing that is searched
        self.prepared = model.prepare(batch["image"], names=batch.get("name"), **given)
        wide: Sequence[float | None] = apertures or [aperture]
        near: Sequence[float | None] = focuses or [focus]
        for point in product(wide, near):
            if point != (aperture, focus):
                self.score(*point)
        if apertures:
            self.refine(apertures, search.refine, 0)
        if focuses:
            self.refine(focuses, search.refine, 1)

    def refine(self, grid: Sequence[float], renderings: int, place: int) -> None:
        """Between the neighbours of the best value in ``grid``, of aperture (``place`` 0) or focus (1)."""
        top = list(best(self.tried)[:2])
        at = int(np.abs(np.array(grid) - np.array(top, dtype=float)[place]).argmin())
        ends = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
        if renderings == 0 or ends[0] == ends[1]:
            return

        def loss(value: float) -> float:
            top[place] = float(value)
            return -self.score(*top)

        options = {"maxiter": renderings, "xatol": 1e-3 * ends[1]}
        minimize_scalar(loss, bounds=ends, method="bounded", options=options)

    def score(self, aperture: float | None, focus: float | None) -> float:
        """Render with these; where the focus is as told, with what the batch says, to the bit."""
        as_told = focus == self.tried[0][1]
        near = self.focus if as_told else self.batch["image"].new_tensor([focus])
        return self.keep(aperture, focus, self.model.refocus(self.prepared, near, aperture))

    def keep(self, aperture: float | None, focus: float | None, made: Rendering) -> float:
        """Note the score of a rendering, and the picture if it is the best so far."""
        pair = sample_of(made.image, self.batch).native.pair
        score = float(ssim(*pair, "gaussian"))
        if not self.tried or score > best(self.tried)[2]:
            self.picture = made.image
        self.tried.append((aperture, focus, score))
        return score


def _with(told: float | None, grid: Sequence[float]) -> list[float]:
    """The grid and what was told, rising, each once; empty where nothing was."""
    if told is None:
        return []
    return sorted([told, *(each for each in grid if not math.isclose(each, told, rel_tol=1e-4))])


def _number(value: Tensor | None) -> float | None:
    return None if value is None else float(value[0])
