"""Columns that explain a score: what is due to place, exposure, position in the picture, and amount of blur."""

from __future__ import annotations

import torch
from torch import Tensor

from bokehbench.metrics.blur_amount import blur_amount
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.regions import REGIONS, region_psnr, region_ssim
from bokehbench.metrics.registered import REACH, gain_compensated_psnr, registered_scores
from bokehbench.metrics.to_8bit import to_8bit

#: Column to one line of explanation, in the order of a table.
COLUMNS = {
    "psnr_gain": "PSNR after the best gain per channel (dB)",
    "psnr_registered": "PSNR after the best shift (dB), without a rim of 34 pixels",
    "psnr_registered_gain": "PSNR after the best shift and gain (dB), without a rim of 34 pixels",
    "blur_amount": "log2 of target's over output's gradient energy out of focus; 0 is right, above is too much blur",
    **{
        f"{score}_{region.replace('-', '_')}": f"{score.upper()}, {region}"
        for score in ("psnr", "ssim")
        for region in REGIONS
    },
}


def diagnose(prediction: Tensor, target: Tensor, in_focus: Tensor | None = None) -> dict[str, Tensor]:
    """All columns of :data:`COLUMNS` for 8-bit pictures at native size: name to values of shape B.

    NaN where a column has no meaning for an image: region columns without a mask, or registration of a picture that is
    smaller than 81 pixels on a side.

    Args:
        prediction, target: B 3 H W in [0, 1].
        in_focus: B 1 H W, bool or mask in [0, 1]; from disparity by
            :func:`bokehbench.metrics.regions.in_focus_from_disparity`.

    Raises:
        BokehbenchError: pictures that cannot be compared.
    """
    with torch.no_grad():
        one, two = (to_8bit(picture) for picture in check_pair(prediction, target, smallest=7))
        nothing = one.new_full((len(one),), torch.nan)
        scores = dict.fromkeys(COLUMNS, nothing)
        scores["psnr_gain"] = gain_compensated_psnr(one, two)
        if min(one.shape[-2:]) > 2 * REACH + 16:
            scores["psnr_registered"], scores["psnr_registered_gain"] = registered_scores(one, two)
        scores["blur_amount"] = blur_amount(one, two, in_focus)
        if in_focus is not None:
            for name, values in (("psnr", region_psnr(one, two, in_focus)), ("ssim", region_ssim(one, two, in_focus))):
                scores |= {f"{name}_{region.replace('-', '_')}": value for region, value in values.items()}
    return scores
