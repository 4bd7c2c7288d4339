"""One function or class per published loss; pictures are B C H W, every loss returns a scalar."""

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.metrics.ssim import ssim

#: Of :func:`normalised_loss`: beyond it, weights of small errors leave the range of 32-bit numbers.
LARGEST_ALPHA = 6


def normalised_loss(prediction: Tensor, target: Tensor, detach: bool = True, alpha: float = 1.0) -> Tensor:
    """DeepLens' error-weighted loss, Eq. 4 and 5 (Wang et al. 2018, section 3.2.4).

    ``N = sum_i w_i |Y_i - Y*_i| / sum_i w_i`` with ``w_i = |Y_i - Y*_i|^alpha``, over the pixels and channels of one
    image, then the mean over the batch: large errors (depth edges) count more, without a hand-made mask. The printed
    alpha is not available: 1, the natural reading, in which N is the squared norm of the error over its sum. 0 is the
    mean of the absolute error.

    Args:
        prediction, target: B C H W.
        detach: no gradient through the weights (ours). With gradient, errors below N/2 are pushed *up*
            (deeplens.md 5.1), and whether the authors let it flow is unknown.
        alpha: exponent, 0 to :data:`LARGEST_ALPHA`; where ``detach`` is False not between 0 and 1, since the gradient
            is infinite there where the error is 0.
    """
    error = (prediction - target).abs().flatten(1)
    weight = (error.detach() if detach else error) ** alpha
    # Per value and not in all: a perfect picture must give 0 whatever its size. A weight of an error of 1e-6.
    return ((weight * error).mean(1) / (weight.mean(1) + 1e-6 ** max(alpha, 1))).mean()


def mean_absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of ``|Y - Y*|``: what the paper compares its normalised loss with."""
    return F.l1_loss(prediction, target)


def disparity_loss(disparity: Tensor, true_disparity: Tensor, has_disparity: Tensor) -> Tensor:
    """The first term of Eq. 1, ``l(D, D*)``: see :func:`disparity_and_saliency_loss`."""
    if not bool(has_disparity.any()):
        return disparity.sum() * 0
    return F.l1_loss(disparity[has_disparity], true_disparity[has_disparity])


def disparity_and_saliency_loss(
    disparity: Tensor,
    true_disparity: Tensor,
    has_disparity: Tensor,
    mask_logits: Tensor,
    mask: Tensor,
    has_mask: Tensor,
    saliency_weight: float = 1.0,
) -> dict[str, Tensor]:
    """DeepLens' depth loss, Eq. 1 (section 3.1): ``l(D, D*) + lambda l(S, S*)``.

    ``D*`` and ``S*`` come from different data sets that share a mini-batch, so each term is averaged over its own
    images only. The norms and lambda are not available: L1 on the min-max normalised disparity and binary cross-entropy
    on the mask, lambda = 1 (ours).

    Args:
        disparity, true_disparity: B 1 H W, per-image min-max normalised to [0, 1].
        has_disparity, has_mask: bool, B: which images have which target.
        mask_logits, mask: B 1 H W.
        saliency_weight: lambda.

    Returns:
        The terms ``disparity`` and ``saliency``, already weighted; 0 where no image of the batch has the target.
    """
    zero = disparity.sum() * 0 + mask_logits.sum() * 0  # keeps every parameter in the graph, for DDP
    terms = {"disparity": zero + disparity_loss(disparity, true_disparity, has_disparity), "saliency": zero}
    if bool(has_mask.any()):
        terms["saliency"] = zero + saliency_weight * F.binary_cross_entropy_with_logits(
            mask_logits[has_mask].float(), mask[has_mask].clamp(0, 1)
        )
    return terms


def pynet_coarse_loss(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
    """PyNET's loss at levels 7 to 2 (Ignatov et al. 2020, as in the released code): the mean of ``100 |Y - Y*|``."""
    return {"l1": 100 * F.l1_loss(prediction, target)}


def pynet_finest_loss(prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
    """PyNET's loss at level 1 without its VGG term: ``10 |Y - Y*| + 10 (1 - SSIM)``, B 3 H W, H and W at least 11.

    SSIM is TensorFlow's (11 x 11 Gaussian, sigma 1.5, valid windows, unclipped prediction). The paper's weights are a
    tenth of these; under Adam that is the same.
    """
    prediction, target = prediction.float(), target.float()
    with torch.autocast(prediction.device.type, enabled=False):  # variances as differences do not survive 8 bits
        similarity = ssim(prediction, target, window="gaussian").mean()
    return {"l1": 10 * F.l1_loss(prediction, target), "ssim": 10 * (1 - similarity)}


def total(terms: dict[str, Tensor]) -> Tensor:
    """Sum of weighted loss terms."""
    return torch.stack(list(terms.values())).sum()
