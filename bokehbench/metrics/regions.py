"""PSNR and SSIM where the picture is sharp, where it is blurred, and in the band between.

A bokeh picture fails in three different places: a subject that should have stayed sharp, a background with the wrong
blur, and the border of the subject, where colours bleed. One mean over the picture shows mostly the largest of them.
"""

from functools import partial
from typing import Literal

from bokehbench.batch import Batch, known
from bokehbench.errors import BokehbenchError
from bokehbench.lazy import F, Tensor, torch
from bokehbench.metrics.column import Column
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.psnr import decibels, squared_error
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import uniform_map
from bokehbench.metrics.ssim_terms import ssim_map
from bokehbench.metrics.ssim_window import window_of

REGIONS = ("in-focus", "out-of-focus", "border")
#: Half width of the border band as a share of the shorter side: 20 pixels at EBB!'s 1024.
BAND = 0.02


def in_focus_from_disparity(
    disparity: Tensor, focus: Tensor | float, aperture: Tensor | float | None = None, tolerance: float = 0.05
) -> Tensor:
    """Where the picture should be sharp, bool B 1 H W.

    With an aperture: where the circle of confusion, aperture * |disparity - focus|, is at most one pixel in radius.
    Without: where disparity is within ``tolerance`` of the focus.

    Args:
        disparity: B 1 H W in [0, 1], 1 = nearest.
        focus: disparity in focus, B or one number.
        aperture: blur radius in pixels at a disparity difference of 1, B or one number.
        tolerance: used without an aperture only.
    """
    away = (disparity - _per_image(focus)).abs()
    return away <= tolerance if aperture is None else away * _per_image(aperture) <= 1


def in_focus_of(batch: Batch) -> Tensor | None:
    """What is in focus, B 1 H W; None where nothing tells.

    From exact disparity where there is one (the mask of synthetic scenes is of all objects, in focus or not), else
    from the subject's mask, else from the disparity that the method was given.
    """
    has = {key for key in batch if key != "name" and bool(known(batch, key).all())}
    aperture = batch["aperture"] if "aperture" in has else None
    if {"true_disparity", "focus", "aperture"} <= has:
        return in_focus_from_disparity(batch["true_disparity"], batch["focus"], aperture)
    if "mask" in has:
        return batch["mask"]
    if {"disparity", "focus"} <= has:
        return in_focus_from_disparity(batch["disparity"], batch["focus"], aperture)
    return None


def _per_image(value: Tensor | float) -> Tensor | float:
    return value.reshape(-1, 1, 1, 1) if isinstance(value, torch.Tensor) else value


def regions(in_focus: Tensor, band: float = BAND) -> dict[str, Tensor]:
    """A partition of the picture: ``in-focus``, ``out-of-focus`` and ``border``, each bool B 1 H W.

    Args:
        in_focus: B 1 H W, a bool map or a mask in [0, 1] that counts from 0.5. NaN belongs to no region, so an image
            whose mask is unknown (see :mod:`bokehbench.batch`) has no value instead of a wrong one.
        band: pixels within band * min(H, W) of the mask's outline (at least one) are the border, on both sides.

    Raises:
        BokehbenchError: not B 1 H W.
    """
    if in_focus.ndim != 4 or in_focus.shape[1] != 1:
        raise BokehbenchError(f"the in-focus mask has shape {tuple(in_focus.shape)}: it must be B 1 H W.")
    sharp = in_focus >= 0.5 if in_focus.is_floating_point() else in_focus.bool()
    width = max(1, round(band * min(in_focus.shape[-2:])))
    reach = _dilate(sharp.float(), width) > 0
    rest = _dilate((~sharp).float(), width) > 0
    known = ~in_focus.isnan()
    return {"in-focus": ~rest & known, "out-of-focus": ~reach & known, "border": reach & rest & known}


def _dilate(mask: Tensor, width: int) -> Tensor:
    # Two running maxima: kornia's dilation unfolds the square and needs (2w+1)² copies of the picture.
    size = 2 * width + 1
    mask = F.max_pool2d(mask, (size, 1), stride=1, padding=(width, 0))
    return F.max_pool2d(mask, (1, size), stride=1, padding=(0, width))


def mean_inside(values: Tensor, region: Tensor) -> Tensor:
    """Mean over channels and the region's pixels, shape B; NaN where the region is empty."""
    weight = region.to(values.dtype)
    return (values.mean(1, keepdim=True) * weight).flatten(1).sum(1) / weight.flatten(1).sum(1)


def _check(prediction: Tensor, target: Tensor, in_focus: Tensor, smallest: int) -> tuple[Tensor, Tensor]:
    prediction, target = check_pair(prediction, target, smallest)
    if len(in_focus) != len(target) or in_focus.shape[-2:] != target.shape[-2:]:
        raise BokehbenchError(
            f"the in-focus mask has shape {tuple(in_focus.shape)} and the pictures {tuple(target.shape)}: "
            "give a mask of the pictures' own size."
        )
    return prediction, target


def region_psnr(prediction: Tensor, target: Tensor, in_focus: Tensor, band: float = BAND) -> dict[str, Tensor]:
    """PSNR (peak 1, dB, higher is better) of each of :func:`regions`: name to shape B; NaN where a region is empty."""
    prediction, target = _check(prediction, target, in_focus, 1)
    error = (prediction - target).square_()
    return {name: decibels(mean_inside(error, where)) for name, where in regions(in_focus, band).items()}


def region_ssim(
    prediction: Tensor,
    target: Tensor,
    in_focus: Tensor,
    band: float = BAND,
    window: Literal["uniform", "gaussian"] = "uniform",
) -> dict[str, Tensor]:
    """SSIM over the windows whose centre lies in each of :func:`regions`: name to shape B; NaN where there is none."""
    kind = window_of(window)
    prediction, target = _check(prediction, target, in_focus, kind.size)
    values = ssim_map(prediction, target, kind)
    return {name: _ssim_inside(values, where) for name, where in regions(in_focus, band).items()}


def _ssim_inside(values: Tensor, where: Tensor) -> Tensor:
    """Over the windows (B C H-n+1 W-n+1) whose centre is inside."""
    margin = (where.shape[-1] - values.shape[-1]) // 2
    return mean_inside(values, where[..., margin:-margin, margin:-margin])


def regions_of(sample: Sample) -> dict[str, Tensor]:
    """:func:`regions` of a sample whose focus is known."""
    assert sample.in_focus is not None, "a column that needs what is in focus says so in its needs"
    mask = sample.in_focus
    return sample.native.kept("regions", lambda: regions(mask))


def _column(sample: Sample, score: str, region: str) -> Tensor:
    where = regions_of(sample)[region]
    if score == "psnr":
        return decibels(mean_inside(squared_error(sample.native), where))
    return _ssim_inside(uniform_map(sample.native), where)


def _declared(score: str, label: str, region: str) -> Column:
    words = region.replace("-", " ")
    shown = {"decimals": 2, "reproduced": 0.05} if score == "psnr" else {}
    return Column(
        f"{score}_{words.replace(' ', '_')}", f"{label}, {words}", partial(_column, score=score, region=region),
        f"{score.upper()}, {region}", needs=("target", "in_focus"), **shown,  # type: ignore[arg-type]
    )  # fmt: skip


COLUMNS = tuple(
    _declared(score, label, region) for score, label in (("psnr", "PSNR (dB)"), ("ssim", "SSIM")) for region in REGIONS
)
