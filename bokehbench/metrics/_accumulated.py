"""The metrics as torchmetrics classes: values of a set's images, averaged at the end."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, ClassVar

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.blur_amount import blur_amount
from bokehbench.metrics.columns import find_column
from bokehbench.metrics.depth_mae import depth_mae
from bokehbench.metrics.lpips import NOT_AVAILABLE, lpips
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.ms_ssim import ms_ssim
from bokehbench.metrics.protocols import DEFAULT, Protocol
from bokehbench.metrics.psnr import pooled_psnr, psnr
from bokehbench.metrics.regions import BAND, REGIONS, region_psnr, region_ssim
from bokehbench.metrics.registered import gain_compensated_psnr, registered_psnr
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import ssim
from bokehbench.metrics.ssim_3d import ssim_3d


class PerImageMetric(Metric):
    """Keeps one value per image, so that tables, intervals and paired tests can be made from the same run.

    Values of several processes are concatenated, never averaged of averages. An image without a value (an empty
    region, say) is NaN and left out of the mean. Arguments are those of :attr:`function` after its pictures.
    """

    full_state_update = False
    #: Values are kept without their graph; :attr:`function` is what a loss is made of.
    is_differentiable = False
    #: Pictures -> values of shape B.
    function: ClassVar[Callable[..., Tensor]]
    values: list[Tensor]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        known = [name for name, each in signature(self.function).parameters.items() if each.default is not each.empty]
        self.options = dict(zip(known, arguments, strict=False))
        self.options |= {name: options.pop(name) for name in known if name in options}
        kept = dict(self.options)
        super().__init__(**options)
        self.options = kept
        self.add_state("values", default=[], dist_reduce_fx="cat")

    def update(self, *pictures: Tensor) -> None:
        """Score one batch; arguments as the pictures of :attr:`function`."""
        with torch.no_grad():
            self.values.append(type(self).function(*pictures, **self.options))

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


def _metric(name: str, function: Callable[..., Tensor], column: str) -> type[PerImageMetric]:
    """The class of a metric, whose direction is that of its column."""
    better = {"higher": True, "lower": False, "zero": None}[find_column(column).better]
    about = f"Mean of the images' :func:`{getattr(function, '__name__', name)}`; arguments as there."
    content = {"__doc__": about, "__module__": __name__, "function": staticmethod(function), "higher_is_better": better}
    return type(name, (PerImageMetric,), content)


def _in_region(of: Callable[..., dict[str, Tensor]]) -> Callable[..., Tensor]:
    def score(
        prediction: Tensor, target: Tensor, in_focus: Tensor, region: str = "in-focus", band: float = BAND
    ) -> Tensor:
        if region not in REGIONS:
            raise BokehbenchError(f"there is no region '{region}': {nearest(str(region), REGIONS)}.")
        return of(prediction, target, in_focus, band)[region]

    return score


SSIM = _metric("SSIM", ssim, "ssim")
SSIM3D = _metric("SSIM3D", ssim_3d, "ssim")
MSSSIM = _metric("MSSSIM", ms_ssim, "ms_ssim")
LPIPS = _metric("LPIPS", lpips, "lpips")
DepthMAE = _metric("DepthMAE", depth_mae, "depth_mae")
BlurAmount = _metric("BlurAmount", blur_amount, "blur_amount")
GainCompensatedPSNR = _metric("GainCompensatedPSNR", gain_compensated_psnr, "psnr_gain")
RegisteredPSNR = _metric("RegisteredPSNR", registered_psnr, "psnr_registered")
RegionPSNR = _metric("RegionPSNR", _in_region(region_psnr), "psnr_in_focus")
RegionSSIM = _metric("RegionSSIM", _in_region(region_ssim), "ssim_in_focus")


class PSNR(_metric("PSNR", psnr, "psnr")):  # type: ignore[misc]
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

    def __init__(self, peak: float = 1.0, pooling: str = "per-image", **options: Any) -> None:
        super().__init__(peak, **options)
        if pooling not in ("per-image", "global"):
            raise BokehbenchError(f"PSNR has no pooling '{pooling}': {nearest(pooling, ('per-image', 'global'))}.")
        self.pooling = pooling

    def compute(self) -> Tensor:
        """Mean of the per-image values, or the pooled value; scalar, dB."""
        pooled = self.pooling == "global"
        return pooled_psnr(self.per_image, self.options["peak"]) if pooled else super().compute()


class ProtocolScores(Metric):
    """All columns of one protocol over a set: ``update(prediction, target)`` with B 3 H W pictures in [0, 1].

    ``per_image`` holds every column's values; ``compute()`` gives one number per column, or the text of
    :data:`lpips.NOT_AVAILABLE`.

    Args:
        protocol: a protocol or its name.

    Raises:
        BokehbenchError: unknown protocol.
    """

    full_state_update = False

    def __init__(self, protocol: Protocol | str = DEFAULT, **options: Any) -> None:
        super().__init__(**options)
        self.measurement = Measurement.of_protocol(protocol)
        self.protocol = self.measurement.protocol
        for column in self.protocol.columns:
            self.add_state(f"values_{column}", default=[], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Score one batch."""
        for column, values in self.measurement.of(Sample(prediction, target)).items():
            # NaN stands for a missing column, so that all columns of all processes have the same length.
            known = values if isinstance(values, Tensor) else prediction.new_full((len(prediction),), torch.nan)
            getattr(self, f"values_{column}").append(known)

    @property
    def per_image(self) -> dict[str, Tensor]:
        """Column to its values so far, shape N; NaN throughout where LPIPS has no weights.

        Raises:
            BokehbenchError: nothing was scored yet.
        """
        values = {column: getattr(self, f"values_{column}") for column in self.protocol.columns}
        if any(isinstance(v, list) and not v for v in values.values()):
            raise BokehbenchError("no picture was scored: check that the data set is not empty.")
        return {column: dim_zero_cat(v) for column, v in values.items()}

    def compute(self) -> dict[str, Tensor | str]:
        """One number per column: means, PSNR by the protocol's averaging."""
        means: dict[str, Tensor | str] = {}
        for column, values in self.per_image.items():
            mean = values.new_tensor(self.measurement.mean(column, values.tolist()))
            means[column] = NOT_AVAILABLE if bool(values.isnan().all()) else mean
        return means
