"""PSNR that forgives what a rendering method cannot know: a small camera shift and another exposure.

The two photos of an EBB! pair were taken one after the other: the subject of pair 4545 is shifted by 7 pixels, and
the aperture changes brightness by up to a quarter. An exact per-channel gain alone is worth 1.2 dB on Val294. These
values stand beside the plain PSNR, never instead of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.per_image import PerImageMetric
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.translation import estimate_shift, translate

#: Largest shift looked for, in pixels; published outputs on EBB! are up to 30 pixels off at 1024 rows.
REACH = 32


def compensate_gain(prediction: Tensor, target: Tensor) -> Tensor:
    """The prediction times the least-squares gain of each channel, clamped to [0, 1]; B C H W."""
    power = prediction.square().sum((2, 3), keepdim=True).clamp_min(torch.finfo(prediction.dtype).tiny)
    return (prediction * ((prediction * target).sum((2, 3), keepdim=True) / power)).clamp_(0, 1)


def gain_compensated_psnr(prediction: Tensor, target: Tensor) -> Tensor:
    """PSNR (peak 1, dB) after each image's channels were multiplied by the gains that fit the target best.

    An upper bound of what a right exposure would bring. Fitted on the gamma-encoded values.

    Args:
        prediction, target: B C H W in [0, 1].

    Returns:
        Shape B.

    Raises:
        BokehbenchError: pictures that cannot be compared.
    """
    prediction, target = check_pair(prediction, target)
    return psnr(compensate_gain(prediction, target), target)


def registered_psnr(prediction: Tensor, target: Tensor, reach: int = REACH, gain: bool = False) -> Tensor:
    """PSNR (peak 1, dB) after the prediction was moved onto the target, with ``gain`` also gain-compensated; shape B.

    See :func:`registered_scores`.
    """
    return registered_scores(prediction, target, reach)[int(gain)]


def registered_scores(prediction: Tensor, target: Tensor, reach: int = REACH) -> tuple[Tensor, Tensor]:
    """PSNR (peak 1, dB) after moving the prediction onto the target; the same with each channel's gain fitted too.

    Always over the picture without a rim of reach + 2 pixels, so that all methods are scored on the same pixels of the
    same target; the shift is kept only if it helps, so the value is never below the unmoved one over that inside.

    Args:
        prediction, target: B 3 H W in [0, 1], more than 2 reach + 16 pixels on each side.
        reach: largest shift in pixels.

    Returns:
        Two tensors of shape B: plain and gain-compensated.

    Raises:
        BokehbenchError: pictures that cannot be compared or are too small.
    """
    prediction, target = check_pair(prediction, target, smallest=2 * reach + 17)
    margin = reach + 2
    plain, gained = [], []
    for one, two in zip(prediction, target, strict=True):
        down, right = estimate_shift(one, two, reach)
        inside = two[None, :, margin:-margin, margin:-margin]
        candidates = [translate(one[None], down, right, margin), one[None, :, margin:-margin, margin:-margin]]
        plain.append(torch.stack([psnr(candidate, inside) for candidate in candidates]).amax(0))
        mended = [compensate_gain(candidate, inside) for candidate in candidates]
        gained.append(torch.stack([psnr(candidate, inside) for candidate in mended]).amax(0))
    return torch.cat(plain), torch.cat(gained)


class GainCompensatedPSNR(PerImageMetric):
    """Mean of the images' :func:`gain_compensated_psnr`."""

    higher_is_better = True

    def score(self, *pictures: Tensor) -> Tensor:
        prediction, target = pictures
        return gain_compensated_psnr(prediction, target)


class RegisteredPSNR(PerImageMetric):
    """Mean of the images' PSNR after registration; arguments as :func:`registered_psnr`."""

    higher_is_better = True

    def __init__(self, reach: int = REACH, gain: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if reach < 1:
            raise BokehbenchError(f"registration needs a reach of at least 1 pixel, not {reach}.")
        self.reach, self.gain = reach, gain

    def score(self, *pictures: Tensor) -> Tensor:
        prediction, target = pictures
        return registered_psnr(prediction, target, self.reach, self.gain)
