"""The border of what is in focus, split by what the lens does there: pixels that it changes, and pixels that it keeps.

PSNR over the whole band (``psnr_border``) rewards not blurring: more than half of its pixels are to stay as they are.
"""

from functools import partial

from bokehbench.lazy import Tensor
from bokehbench.metrics.column import Column
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.prepare import prepare
from bokehbench.metrics.psnr import decibels, squared_error
from bokehbench.metrics.regions import mean_inside, regions, regions_of
from bokehbench.metrics.sample import Sample

#: A pixel is changed where any channel of the 8-bit target is further than this from the input's: more than rounding.
ROUNDING = 1.5 / 255
NEEDS = ("target", "in_focus", "input")


def changed_by_the_lens(image: Tensor, target: Tensor) -> Tensor:
    """Where the target is another picture than the input, bool B 1 H W; both 8-bit pictures in [0, 1], B 3 H W."""
    return (target - image).abs().amax(1, keepdim=True) > ROUNDING


def border_psnr(prediction: Tensor, target: Tensor, image: Tensor, in_focus: Tensor) -> Tensor:
    """PSNR over the border's changed pixels (peak 1, dB, higher is better), shape B; NaN where there are none.

    Args:
        prediction, target, image: output, target and input, B 3 H W in [0, 1], of 8 bits.
        in_focus: B 1 H W, as for :func:`regions`.

    Raises:
        BokehbenchError: pictures that cannot be compared (:func:`check_pair`).
    """
    prediction, target = check_pair(prediction, target)
    where = regions(in_focus)["border"] & changed_by_the_lens(image, target)
    return decibels(mean_inside((prediction - target).square_(), where))


def bleeding(prediction: Tensor, target: Tensor, image: Tensor, in_focus: Tensor) -> Tensor:
    """Mean absolute error over the border's other pixels (8-bit levels, lower is better), shape B.

    Arguments and errors as :func:`border_psnr`.
    """
    prediction, target = check_pair(prediction, target)
    where = regions(in_focus)["border"] & ~changed_by_the_lens(image, target)
    return 255 * mean_inside((prediction - target).abs_(), where)


def _changed(sample: Sample) -> Tensor:
    native, image, target = sample.native, sample.input, sample.target
    assert image is not None, "the columns say so in their needs"
    assert target is not None, "the columns say so in their needs"
    make = partial(prepare, native.protocol, image, target)
    return native.kept("changed by the lens", lambda: changed_by_the_lens(*make()))


def _border_psnr(sample: Sample) -> Tensor:
    return decibels(mean_inside(squared_error(sample.native), regions_of(sample)["border"] & _changed(sample)))


def _bleeding(sample: Sample) -> Tensor:
    one, two = sample.native.pair
    return 255 * mean_inside((one - two).abs(), regions_of(sample)["border"] & ~_changed(sample))


COLUMNS = (
    Column(
        "psnr_border_changed", "PSNR (dB), border, where the lens blurs", _border_psnr,
        "PSNR of the border's pixels that the target changes", decimals=2, reproduced=0.05, needs=NEEDS,
    ),
    Column(
        "bleeding", "Bleeding (levels), border", _bleeding,
        "mean absolute error of the border's pixels that the target keeps", better="lower", decimals=2,
        reproduced=0.05, needs=NEEDS,
    ),
)  # fmt: skip
