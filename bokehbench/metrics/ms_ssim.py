"""Multi-scale structural similarity (Wang, Simoncelli, Bovik, Asilomar 2003)."""

from bokehbench.lazy import F, Tensor, torch
from bokehbench.metrics.column import Column
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.ssim_window import window_of

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
#: Four halvings (odd sides rounded up) must leave one 11 x 11 window.
SMALLEST = 10 * 2 ** (len(WEIGHTS) - 1) + 1


def ms_ssim(prediction: Tensor, target: Tensor, peak: float = 1.0) -> Tensor:
    """MS-SSIM of each image (Eq. 7), shape B, as tf.image.ssim_multiscale defines it, which PyNET reports.

    Product over five scales of the contrast-structure means (the last scale: SSIM itself), each raised to its weight,
    per channel, then averaged over channels; scales are 2 x 2 means, odd sides first extended by one mirrored row or
    column. In [0, 1], 1 for equal pictures, higher is better; negative means count as zero. Differentiable.

    Args:
        prediction, target: B C H W, nominally in [0, 1], at least 161 pixels on each side.
        peak: largest possible value.

    Raises:
        BokehbenchError: pictures that cannot be compared, or too small for five scales.
    """
    from bokehbench.metrics._ssim_function import ssim_terms  # defines a class of torch's, without which we start

    prediction, target = check_pair(prediction, target, smallest=SMALLEST)
    window = window_of("gaussian")
    result = prediction.new_ones(prediction.shape[:2])
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            prediction, target = _halve(prediction), _halve(target)
        similarity, contrast = ssim_terms(prediction, target, window, peak)
        value = contrast if scale < len(WEIGHTS) - 1 else similarity
        # x^w has an infinite slope at 0, which would turn the whole gradient into NaN.
        positive = value > 0
        result = result * torch.where(positive, value.where(positive, 1.0) ** weight, 0.0)
    return result.mean(1)


def _halve(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    return F.avg_pool2d(F.pad(image, (0, width % 2, 0, height % 2), mode="replicate"), 2)


COLUMNS = (Column("ms_ssim", "MS-SSIM", lambda sample: ms_ssim(*sample.pair), published="MS-SSIM"),)
