"""Whether an output blurs as much as its target does."""

from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.column import Column
from bokehbench.metrics.luma import luma
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.regions import regions, regions_of
from bokehbench.metrics.sample import Sample

#: Mean squared slope that 8-bit rounding alone makes, so that two flat pictures compare as equal.
FLOOR = 2 * (1 / 255) ** 2 / 12


def gradient_energy(image: Tensor, where: Tensor | None = None) -> Tensor:
    """Mean squared gradient of luma (central differences, per pixel²) inside the region, shape B.

    Args:
        image: B 3 H W in [0, 1].
        where: bool B 1 H W; the whole picture if absent. NaN where no pixel is left.
    """
    bright = luma(image)
    slope_y = (bright[:, 2:, 1:-1] - bright[:, :-2, 1:-1]) / 2
    slope_x = (bright[:, 1:-1, 2:] - bright[:, 1:-1, :-2]) / 2
    energy = (slope_y**2 + slope_x**2).flatten(1)
    if where is None:
        return energy.mean(1)
    weight = where[:, 0, 1:-1, 1:-1].flatten(1).to(energy.dtype)
    return (energy * weight).sum(1) / weight.sum(1)


def blur_amount(prediction: Tensor, target: Tensor, in_focus: Tensor | None = None) -> Tensor:
    """log2 of the target's over the prediction's gradient energy, where the picture should be blurred; shape B.

    0 is best. +1: half the target's energy is left, too much blur; -1: twice the energy, too little blur. An
    all-in-focus picture handed back as output is far below zero. No test of quality: a picture of anything with the
    right energy scores 0, so read it beside PSNR and SSIM. NaN where nothing is out of focus.

    Args:
        prediction, target: B 3 H W in [0, 1], at least 3 x 3; :func:`check_pair` raises.
        in_focus: B 1 H W, bool or in [0, 1]; the region ``out-of-focus`` of :func:`regions` is compared. The whole
            picture if absent.
    """
    prediction, target = check_pair(prediction, target, smallest=3)
    return _compared(prediction, target, None if in_focus is None else regions(in_focus)["out-of-focus"])


def _compared(prediction: Tensor, target: Tensor, where: Tensor | None) -> Tensor:
    return torch.log2((gradient_energy(target, where) + FLOOR) / (gradient_energy(prediction, where) + FLOOR))


def _column(sample: Sample) -> Tensor:
    return _compared(*sample.native.pair, None if sample.in_focus is None else regions_of(sample)["out-of-focus"])


COLUMNS = (
    Column(
        "blur_amount", "blur amount", _column, better="zero", decimals=2, reproduced=0.05,
        about="log2 of target's over output's gradient energy out of focus; 0 is right, above is too much blur",
    ),
)  # fmt: skip
