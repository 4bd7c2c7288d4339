"""The shape that all metrics share: a list of per-image values, averaged at the end."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from bokehbench.errors import BokehbenchError


class PerImageMetric(Metric):
    """Keeps one value per image, so that tables, intervals and paired tests can be made from the same run.

    Subclasses implement :meth:`score`. Values of several processes are concatenated, never averaged of averages.
    An image without a value (an empty region, say) is NaN and left out of the mean.
    """

    full_state_update = False
    #: Values are kept without their graph; the functions beside the classes are what a loss is made of.
    is_differentiable = False
    values: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("values", default=[], dist_reduce_fx="cat")

    def score(self, *pictures: Tensor) -> Tensor:
        """Values of shape B for pictures of shape B C H W."""
        raise NotImplementedError

    def update(self, *pictures: Tensor) -> None:
        """Score one batch; arguments as in :meth:`score`."""
        with torch.no_grad():
            self.values.append(self.score(*pictures))

    @property
    def per_image(self) -> Tensor:
        """All values so far, shape N.

        Raises:
            BokehbenchError: nothing was scored yet.
        """
        if isinstance(self.values, list) and not self.values:
            raise BokehbenchError(f"{type(self).__name__} has scored no picture: check that the data set is not empty.")
        return dim_zero_cat(self.values)

    def compute(self) -> Tensor:
        """Mean over the images that have a value, scalar; NaN where none has."""
        return self.per_image.nanmean()
