"""PSNR that forgives what a rendering method cannot know: a small camera shift and another exposure.

The two photos of an EBB! pair were taken one after the other: the subject of pair 4545 is shifted by 7 pixels, and
the aperture changes brightness by up to a quarter. An exact per-channel gain alone is worth 1.2 dB on Val294. These
values stand beside the plain PSNR, never instead of it.
"""

from functools import partial

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.column import Column
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.translation import estimate_shift, translate

#: Largest shift looked for, in pixels; published outputs on EBB! are up to 30 pixels off at 1024 rows.
REACH = 32


def gain_compensated_psnr(prediction: Tensor, target: Tensor) -> Tensor:
    """PSNR (peak 1, dB) after each image's channels were multiplied by the gains that fit the target best; shape B.

    An upper bound of what a right exposure would bring. Fitted on the gamma-encoded values.

    Args:
        prediction, target: B C H W in [0, 1]; :func:`check_pair` raises.
    """
    prediction, target = check_pair(prediction, target)
    power = prediction.square().sum((2, 3), keepdim=True).clamp_min(torch.finfo(prediction.dtype).tiny)
    gain = (prediction * target).sum((2, 3), keepdim=True) / power
    return psnr((prediction * gain).clamp_(0, 1), target)


def registered_psnr(prediction: Tensor, target: Tensor, reach: int = REACH, gain: bool = False) -> Tensor:
    """One of :func:`registered_scores`: with ``gain`` the gain-compensated one; shape B."""
    return registered_scores(prediction, target, reach)[int(gain)]


def registered_scores(prediction: Tensor, target: Tensor, reach: int = REACH) -> tuple[Tensor, Tensor]:
    """PSNR (peak 1, dB, shape B) after moving the prediction onto the target; the same with each channel's gain fitted.

    Always over the picture without a rim of reach + 2 pixels, so that all methods are scored on the same pixels of the
    same target; the shift is kept only if it helps, so the value is never below the unmoved one over that inside.

    Args:
        prediction, target: B 3 H W in [0, 1], more than 2 reach + 16 pixels on each side.
        reach: largest shift in pixels.

    Raises:
        BokehbenchError: pictures that cannot be compared or are too small, or a reach below 1.
    """
    if reach < 1:
        raise BokehbenchError(f"registration needs a reach of at least 1 pixel, not {reach}.")
    prediction, target = check_pair(prediction, target, smallest=2 * reach + 17)
    margin = reach + 2
    plain, gained = [], []
    for one, two in zip(prediction, target, strict=True):
        moved = translate(one[None], *estimate_shift(one, two, reach), margin)
        still, inside = (each[None, :, margin:-margin, margin:-margin] for each in (one, two))
        plain.append(torch.stack([psnr(each, inside) for each in (moved, still)]).amax(0))
        gained.append(torch.stack([gain_compensated_psnr(each, inside) for each in (moved, still)]).amax(0))
    return torch.cat(plain), torch.cat(gained)


def _registered(sample: Sample, gain: bool) -> Tensor:
    one, two = sample.native.pair
    return sample.kept("registered", lambda: registered_scores(one, two))[int(gain)]


_decibels = partial(Column, decimals=2, reproduced=0.05)
COLUMNS = (
    _decibels(
        "psnr_gain", "PSNR after gain (dB)", lambda sample: gain_compensated_psnr(*sample.native.pair),
        "PSNR after the best gain per channel (dB)",
    ),
    _decibels(
        "psnr_registered", "PSNR registered (dB)", partial(_registered, gain=False),
        "PSNR after the best shift (dB), without a rim of 34 pixels",
    ),
    _decibels(
        "psnr_registered_gain", "PSNR registered, gain (dB)", partial(_registered, gain=True),
        "PSNR after the best shift and gain (dB), without a rim of 34 pixels",
    ),
)  # fmt: skip
