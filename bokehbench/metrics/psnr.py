"""Peak signal-to-noise ratio."""

from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.column import Column
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.sample import Sample


def decibels(mse: Tensor, peak: float | Tensor = 1.0) -> Tensor:
    """10 log10(peak² / mse), elementwise; infinity where ``mse`` is zero."""
    return 10 * torch.log10(torch.as_tensor(peak, dtype=mse.dtype, device=mse.device) ** 2 / mse)


def psnr(prediction: Tensor, target: Tensor, peak: float | Tensor = 1.0) -> Tensor:
    """PSNR of each image, shape B: 10 log10(peak² / MSE), in dB, higher is better, infinity for equal pictures.

    Args:
        prediction, target: B C H W, nominally in [0, 1].
        peak: largest possible value, one or B of them (one published evaluator takes the image's own maximum).

    Raises:
        BokehbenchError: pictures that cannot be compared (:func:`check_pair`).
    """
    prediction, target = check_pair(prediction, target)
    return decibels((prediction - target).square_().flatten(1).mean(1), peak)


def pooled_psnr(values: Tensor, peak: float = 1.0) -> Tensor:
    """The PSNR of the mean of the images' squared errors (scalar, dB), from per-image PSNRs of shape N."""
    return decibels((peak**2 * 10 ** (-values.double() / 10)).mean(), peak).to(values.dtype)


def squared_error(sample: Sample) -> Tensor:
    """B C H W of the sample's pair."""
    one, two = sample.pair
    return sample.kept("squared error", lambda: (one - two).square_())


def _column(sample: Sample) -> Tensor:
    return decibels(squared_error(sample).flatten(1).mean(1), sample.peak)


COLUMNS = (Column("psnr", "PSNR (dB)", _column, decimals=2, reproduced=0.05, published="PSNR"),)
