"""Metrics as torchmetrics classes: values of a set's images, averaged at the end."""

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
from bokehbench.metrics.dists import dists
from bokehbench.metrics.lpips import lpips
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.ms_ssim import ms_ssim
from bokehbench.metrics.pretrained import NOT_AVAILABLE
from bokehbench.metrics.protocols import DEFAULT, Protocol
from bokehbench.metrics.psnr import pooled_psnr, psnr
from bokehbench.metrics.regions import BAND, REGIONS, region_psnr, region_ssim
from bokehbench.metrics.registered import gain_compensated_psnr, registered_psnr
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import ssim
from bokehbench.metrics.ssim_3d import ssim_3d


class Accumulated(Metric):
    """Keeps one value per image and column, so that tables, intervals and paired tests can be made from the same run.

    Values of several processes are concatenated, never averaged of averages. An image without a value is NaN.
    """

    full_state_update = False
    #: Values are kept without their graph; the functions of ``bokehbench.metrics`` are what a loss is made of.
    is_differentiable = False

    def __init__(self, columns: tuple[str, ...], **options: Any) -> None:
        super().__init__(**options)
        self.columns = columns
        for column in columns:
            self.add_state(f"values_{column}", default=[], dist_reduce_fx="cat")

    def keep(self, column: str, values: Tensor) -> None:
        """Values of one batch."""
        getattr(self, f"values_{column}").append(values)

    def values(self, column: str) -> Tensor:
        """All values so far, shape N.

        Raises:
            BokehbenchError: nothing was scored yet.
        """
        found = getattr(self, f"values_{column}")
        if isinstance(found, list) and not found:
            raise BokehbenchError(f"{type(self).__name__} has scored no picture: check that the data set is not empty.")
        return dim_zero_cat(found)


class PerImageMetric(Accumulated):
    """The mean of the images' :attr:`function`, whose arguments after the pictures are the class's."""

    #: Pictures -> values of shape B.
    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        known = [name for name, each in signature(self.function).parameters.items() if each.default is not each.empty]
        self.options = dict(zip(known, arguments, strict=False)) | {n: options.pop(n) for n in known if n in options}
        super().__init__(("all",), **options)

    def update(self, *pictures: Tensor) -> None:
        """Score one batch; arguments as the pictures of :attr:`function`."""
        with torch.no_grad():
            self.keep("all", type(self).function(*pictures, **self.options))

    @property
    def per_image(self) -> Tensor:
        """All values so far, shape N; raises as :meth:`values`."""
        return self.values("all")

    def compute(self) -> Tensor:
        """Mean over the images that have a value, scalar; NaN where none has."""
        return self.per_image.nanmean()


class ProtocolScores(Accumulated):
    """All columns of one protocol over a set: ``update(prediction, target)`` with B 3 H W pictures in [0, 1].

    Args:
        protocol: a protocol or its name.

    Raises:
        BokehbenchError: unknown protocol.
    """

    def __init__(self, protocol: Protocol | str = DEFAULT, **options: Any) -> None:
        self.measurement = Measurement.of_protocol(protocol)
        self.protocol = self.measurement.protocol
        super().__init__(self.protocol.columns, **options)

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Score one batch."""
        nothing = prediction.new_full((len(prediction),), torch.nan)  # all columns have the same length
        for column, values in self.measurement.of(Sample(prediction, target)).items():
            self.keep(column, nothing if isinstance(values, str) else values)

    @property
    def per_image(self) -> dict[str, Tensor]:
        """Column to its values so far, shape N; NaN throughout where LPIPS has no weights. Raises as :meth:`values`."""
        return {column: self.values(column) for column in self.columns}

    def compute(self) -> dict[str, Tensor | str]:
        """One number per column: means, PSNR by the protocol's averaging; :data:`NOT_AVAILABLE` without any."""
        mean = self.measurement.mean
        return {
            column: NOT_AVAILABLE if bool(values.isnan().all()) else values.new_tensor(mean(column, values.tolist()))
            for column, values in self.per_image.items()
        }


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
DISTS = _metric("DISTS", dists, "dists")
DepthMAE = _metric("DepthMAE", depth_mae, "depth_mae")
BlurAmount = _metric("BlurAmount", blur_amount, "blur_amount")
GainCompensatedPSNR = _metric("GainCompensatedPSNR", gain_compensated_psnr, "psnr_gain")
RegisteredPSNR = _metric("RegisteredPSNR", registered_psnr, "psnr_registered")
RegionPSNR = _metric("RegionPSNR", _in_region(region_psnr), "psnr_in_focus")
RegionSSIM = _metric("RegionSSIM", _in_region(region_ssim), "ssim_in_focus")


class PSNR(_metric("PSNR", psnr, "psnr")):  # type: ignore[misc]
    """PSNR of a set; arguments as :func:`psnr`, and ``pooling``.

    ``"per-image"`` averages the images' values in dB, as the papers do; ``"global"`` averages their squared errors
    first, which the worst pictures rule: 22.93 in place of 24.74 dB on EBB!. torchmetrics, left alone, also pools.
    """

    def __init__(self, *arguments: Any, pooling: str = "per-image", **options: Any) -> None:
        super().__init__(*arguments, **options)
        if pooling not in ("per-image", "global"):
            raise BokehbenchError(f"PSNR has no pooling '{pooling}': {nearest(pooling, ('per-image', 'global'))}.")
        self.pooling = pooling

    def compute(self) -> Tensor:
        """Mean of the per-image values, or the pooled value; scalar, dB."""
        return pooled_psnr(self.per_image, **self.options) if self.pooling == "global" else super().compute()
