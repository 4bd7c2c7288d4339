"""Depth error after a spline fit (Srinivasan et al. 2018; DeepLens, Wang et al. 2018, section 5.1)."""

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.column import Column
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.sample import Sample


def spline_fit(prediction: Tensor, target: Tensor, knots: int = 5) -> Tensor:
    """Least-squares linear spline from each predicted map to its target (both B 1 H W), evaluated at the prediction.

    The basis is ``knots`` hat functions, uniform on [0, 1] of the min-max normalised prediction, coefficients free of
    constraints: the fit forgives scale, offset, even inverted polarity, and a bend as far as the knots follow it (what
    is left: docs/metrics/depth_mae.md). A flat prediction becomes the target's mean. Knot placement is not stated in
    the papers; uniform knots are our reading.
    """
    flat, wanted = prediction.double().flatten(1), target.double().flatten(1)
    low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    position = (flat - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny) * (knots - 1)
    hats = torch.stack([(1 - (position - knot).abs()).clamp_min(0) for knot in range(knots)], 1)
    # Empty knots make the system singular; the pseudo-inverse leaves their coefficients at zero.
    coefficients = torch.linalg.pinv(hats @ hats.mT, hermitian=True) @ (hats @ wanted[..., None])
    return (coefficients * hats).sum(1).to(prediction.dtype).reshape(prediction.shape)


def depth_mae(prediction: Tensor, target: Tensor, knots: int = 5) -> Tensor:
    """Mean absolute error of disparity after :func:`spline_fit`, shape B; in units of the target, 0 is best.

    Args:
        prediction: B 1 H W, any monotone (even inverted) encoding of depth, best a linear one of ``target``.
        target: B 1 H W, disparity in [0, 1].
        knots: number of hat functions, 5 in the papers.

    Raises:
        BokehbenchError: maps that cannot be compared, or fewer than two knots.
    """
    if knots < 2:
        raise BokehbenchError(f"a linear spline needs at least 2 knots, not {knots}.")
    prediction, target = check_pair(prediction, target)
    return (spline_fit(prediction, target, knots) - target).abs().flatten(1).mean(1)


def _column(sample: Sample) -> Tensor:
    assert sample.own_disparity is not None
    assert sample.true_disparity is not None
    return depth_mae(sample.own_disparity(), sample.true_disparity)


COLUMNS = (
    Column("depth_mae", "depth MAE", _column, better="lower", needs=("true_disparity", "own_disparity"),
           published="depth MAE"),
)  # fmt: skip
