"""Running a protocol on pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from bokehbench.errors import BokehbenchError
from bokehbench.metrics.lpips import WeightsNotAvailableError, lpips
from bokehbench.metrics.luma import studio_luma
from bokehbench.metrics.ms_ssim import ms_ssim
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.protocols import DEFAULT, Protocol, SSIMKind, find_protocol
from bokehbench.metrics.psnr import pooled_psnr, psnr
from bokehbench.metrics.ssim import ssim
from bokehbench.metrics.ssim_3d import ssim_3d
from bokehbench.metrics.to_8bit import to_8bit

#: What a table shows where LPIPS could not be computed.
NOT_AVAILABLE = "n/a: weights not available"


def prepare(protocol: Protocol, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both pictures as the evaluator would have compared them: rounded, resized, cropped, in its colours.

    Args:
        prediction, target: B 3 H W in [0, 1].

    Raises:
        BokehbenchError: pictures that cannot be compared, or nothing left after the crop.
    """
    pair = check_pair(prediction, target)
    if pair[0].shape[1] != 3:
        raise BokehbenchError(f"protocols score RGB pictures, B 3 H W, not {tuple(prediction.shape)}.")
    full = tuple(target.shape[-2:])
    if protocol.rounding == "none":
        pair = (pair[0].clamp(0, 1), pair[1].clamp(0, 1))
    else:
        pair = (to_8bit(pair[0], protocol.rounding == "down"), to_8bit(pair[1], protocol.rounding == "down"))
    if protocol.stretch_target:
        pair = (pair[0], stretch(pair[1]))
    if protocol.size is not None:
        pair = (resize_8bit(pair[0], protocol.size), resize_8bit(pair[1], protocol.size))
    pair = (crop(protocol, pair[0]), crop(protocol, pair[1]))
    if protocol.pad_back:
        pair = (pad_centre(pair[0], full), pad_centre(pair[1], full))
    return (studio_luma(pair[0]), studio_luma(pair[1])) if protocol.colour == "y" else pair


def stretch(image: Tensor) -> Tensor:
    """Each image's minimum..maximum (over all channels) to 0..255, rounded: SciPy's old ``bytescale`` on floats."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return to_8bit((image - low) / (high - low).clamp_min(1 / 255))


def resize_8bit(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Pillow's Lanczos resize of 8-bit B 3 H W pictures to (height, width)."""
    if tuple(image.shape[-2:]) == size:
        return image
    levels = image.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    small = [Image.fromarray(one).resize(size[::-1], Image.Resampling.LANCZOS) for one in levels]
    return torch.from_numpy(np.stack([np.asarray(one) for one in small])).permute(0, 3, 1, 2).to(image).div_(255)


def crop(protocol: Protocol, image: Tensor) -> Tensor:
    """The part of B C H W pictures that the protocol scores."""
    if protocol.centre_crop is not None:
        image = _around_centre(image, protocol.centre_crop)
    height, width = ((side // m) * m for side, m in zip(image.shape[-2:], protocol.multiple, strict=True))
    at_centre = protocol.multiple_at == "centre"
    image = _around_centre(image, (height, width)) if at_centre else image[..., :height, :width]
    border = protocol.border
    if min(height, width) <= 2 * border:
        raise BokehbenchError(
            f"protocol '{protocol.name}' leaves nothing of a picture of {image.shape[-2]} x {image.shape[-1]} pixels: "
            "use larger pictures or another protocol."
        )
    return image[..., border : height - border, border : width - border]


def _around_centre(image: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = (min(wanted, side) for wanted, side in zip(size, image.shape[-2:], strict=True))
    top, left = (image.shape[-2] - height + 1) // 2, (image.shape[-1] - width + 1) // 2
    return image[..., top : top + height, left : left + width]


def pad_centre(image: Tensor, size: tuple[int, ...]) -> Tensor:
    """Zeros around B C H W pictures up to (height, width)."""
    down, across = size[0] - image.shape[-2], size[1] - image.shape[-1]
    return F.pad(image, (across // 2, across - across // 2, down // 2, down - down // 2))


def score(protocol: Protocol, prediction: Tensor, target: Tensor) -> dict[str, Tensor | str]:
    """Every column of the protocol: its name to per-image values of shape B, or to why there are none.

    Args:
        prediction, target: B 3 H W in [0, 1], native size.

    Raises:
        BokehbenchError: pictures that cannot be compared or are too small for a metric.
    """
    with torch.no_grad():
        one, two = prepare(protocol, prediction, target)
        scores: dict[str, Tensor | str] = {"psnr": psnr(one, two, _peak(protocol, one))}
        for kind in protocol.ssim:
            scores[kind.name] = _ssim(kind, one, two)
        if protocol.ms_ssim:
            scores["ms_ssim"] = ms_ssim(one, two)
        if protocol.lpips:
            try:
                scores["lpips"] = lpips(one, two, protocol.lpips)
            except WeightsNotAvailableError:
                scores["lpips"] = NOT_AVAILABLE
    return scores


def _peak(protocol: Protocol, prediction: Tensor) -> Tensor | float:
    if protocol.peak == "one":
        return 1.0
    most = prediction.amax((1, 2, 3))
    return most if protocol.peak == "prediction" else torch.where(most <= 1.0001 / 255, most.new_tensor(1 / 255), 1.0)


def _ssim(kind: SSIMKind, prediction: Tensor, target: Tensor) -> Tensor:
    if kind.window == "gaussian-3d":
        return ssim_3d(prediction, target)
    return ssim(prediction, target, kind.window, kind.covariance, downsample=kind.downsample)


class ProtocolScores(Metric):
    """All columns of one protocol over a set: ``update(prediction, target)`` with B 3 H W pictures in [0, 1].

    ``per_image`` holds every column's values; ``compute()`` gives one number per column, or the text of
    :data:`NOT_AVAILABLE`.

    Args:
        protocol: a protocol or its name.

    Raises:
        BokehbenchError: unknown protocol.
    """

    full_state_update = False

    def __init__(self, protocol: Protocol | str = DEFAULT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.protocol = find_protocol(protocol) if isinstance(protocol, str) else protocol
        for column in self.protocol.columns:
            self.add_state(f"values_{column}", default=[], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Score one batch."""
        for column, values in score(self.protocol, prediction, target).items():
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
        result: dict[str, Tensor | str] = {}
        for column, values in self.per_image.items():
            if bool(values.isnan().all()):
                result[column] = NOT_AVAILABLE
            elif column == "psnr" and self.protocol.averaging == "pooled":
                result[column] = pooled_psnr(values)
            else:
                result[column] = values.mean()
        return result
