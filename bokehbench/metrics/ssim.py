"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004)."""

from functools import partial
from typing import Literal

from bokehbench.lazy import F, Tensor
from bokehbench.metrics.column import Column, NotMeasuredError
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.protocols import UNIFORM
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim_3d import ssim_3d
from bokehbench.metrics.ssim_terms import ssim_map
from bokehbench.metrics.ssim_window import window_of


def ssim(
    prediction: Tensor,
    target: Tensor,
    window: Literal["uniform", "gaussian"] = "uniform",
    covariance: Literal["sample", "population"] | None = None,
    peak: float = 1.0,
    downsample: bool = False,
) -> Tensor:
    """SSIM of each image (Eq. 13), shape B, mean over the windows inside the picture and over channels.

    In [-1, 1], 1 for equal pictures, higher is better. Not clipped and differentiable, so that ``1 - ssim(...).mean()``
    is the loss of papers that train with tf.image.ssim (``window="gaussian"``).

    Args:
        prediction, target: B C H W, nominally in [0, 1].
        window: ``"uniform"`` = 7 x 7 box (scikit-image's default; the EBB! tables), ``"gaussian"`` = 11 x 11 with
            sigma 1.5 (the paper; tf.image, torchmetrics). They differ by about 0.017 on EBB!.
        covariance: ``"sample"`` (divisor n - 1) or ``"population"`` (n); by default sample for the box and population
            for the Gaussian, as those libraries do.
        peak: largest possible value.
        downsample: average-pool both pictures by round(min(H, W) / 256) first, as piq does by default.

    Raises:
        BokehbenchError: pictures that cannot be compared, or smaller than the window.
    """
    from bokehbench.metrics._ssim_function import ssim_terms  # defines a class of torch's, without which we start

    kind = window_of(window, covariance)
    prediction, target = check_pair(prediction, target, smallest=kind.size)
    factor = max(1, round(min(prediction.shape[-2:]) / 256)) if downsample else 1
    if factor > 1:
        prediction, target = F.avg_pool2d(prediction, factor), F.avg_pool2d(target, factor)
    return ssim_terms(prediction, target, kind, peak)[0].mean(1)


def uniform_map(sample: Sample) -> Tensor:
    """SSIM of every 7 x 7 window inside the sample's pair: B C H-6 W-6."""
    window = window_of("uniform")
    return sample.kept("SSIM", lambda: ssim_map(*check_pair(*sample.pair, smallest=window.size), window))


def _column(sample: Sample, name: str) -> Tensor:
    """The protocol's SSIM of that name."""
    kind = next((kind for kind in sample.protocol.ssim if kind.name == name), None)
    if kind is None:
        raise NotMeasuredError(f"the protocol {sample.protocol.name} has no {name}")
    if kind.window == "gaussian-3d":
        return ssim_3d(*sample.pair)
    if kind == UNIFORM and sample.in_focus is not None:  # the map is there, or will be wanted
        return uniform_map(sample).mean((1, 2, 3))
    return ssim(*sample.pair, kind.window, kind.covariance, downsample=kind.downsample)


COLUMNS = (
    Column("ssim", "SSIM", partial(_column, name="ssim"), published="SSIM"),
    Column("ssim_gaussian", "SSIM Gaussian", partial(_column, name="ssim_gaussian"), published="SSIM"),
)
