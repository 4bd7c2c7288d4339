"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.per_image import PerImageMetric

POOLING = ("per-image", "global")


def mean_squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean over channels and pixels of (prediction - target)², shape B, for pictures B C H W."""
    prediction, target = check_pair(prediction, target)
    return (prediction - target).square_().flatten(1).mean(1)


def decibels(mse: Tensor, peak: float | Tensor = 1.0) -> Tensor:
    """10 log10(peak² / mse), elementwise; infinity where ``mse`` is zero."""
    return 10 * torch.log10(torch.as_tensor(peak, dtype=mse.dtype, device=mse.device) ** 2 / mse)


def psnr(prediction: Tensor, target: Tensor, peak: float | Tensor = 1.0) -> Tensor:
    """PSNR of each image: 10 log10(peak² / MSE), in dB, higher is better, infinity for equal pictures.

    Args:
        prediction, target: B C H W, nominally in [0, 1].
        peak: largest possible value, one or B of them (one published evaluator takes the image's own maximum).

    Returns:
        Shape B.

    Raises:
        BokehbenchError: pictures that cannot be compared (:func:`check_pair`).
    """
    return decibels(mean_squared_error(prediction, target), peak)


def pooled_psnr(values: Tensor, peak: float = 1.0) -> Tensor:
    """The PSNR of the mean of the images' squared errors (scalar, dB), from per-image PSNRs of shape N."""
    return decibels((peak**2 * 10 ** (-values.double() / 10)).mean(), peak).to(values.dtype)


class PSNR(PerImageMetric):
    """PSNR of a set of images.

    Args:
        peak: largest possible value.
        pooling: ``"per-image"`` averages the images' values in dB, as the papers do; ``"global"`` averages their
            squared errors first, which the worst pictures rule. On EBB! the two differ by 1.8 dB for the same pictures
            (24.74 and 22.93), so never mix them in one table. torchmetrics, left alone, also pools, weighting each
            image by its number of pixels.

    Raises:
        BokehbenchError: unknown pooling.
    """

    higher_is_better = True

    def __init__(self, peak: float = 1.0, pooling: Literal["per-image", "global"] = "per-image", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if pooling not in POOLING:
            raise BokehbenchError(f"PSNR has no pooling '{pooling}': {nearest(str(pooling), POOLING)}.")
        self.peak, self.pooling = peak, pooling

    def score(self, *pictures: Tensor) -> Tensor:
        prediction, target = pictures
        return psnr(prediction, target, self.peak)

    def compute(self) -> Tensor:
        """Mean of the per-image values, or the pooled value; scalar, dB."""
        return super().compute() if self.pooling == "per-image" else pooled_psnr(self.per_image, self.peak)
