"""Deep image structure and texture similarity (Ding, Ma, Wang, Simoncelli, IEEE TPAMI 2022)."""

from typing import Any

from bokehbench.lazy import Tensor
from bokehbench.metrics.column import Column
from bokehbench.metrics.lpips import BACKBONES
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.pretrained import network, or_not_measured
from bokehbench.metrics.sample import Sample

#: The deepest layer must keep one pixel after four poolings.
SMALLEST = 16


def _make() -> Any:
    from torchmetrics.functional.image.dists import DISTSNetwork  # the function beside it loads VGG-16 at every call

    return DISTSNetwork()


def dists(prediction: Tensor, target: Tensor) -> Tensor:
    """DISTS of each image, shape B, 0 for equal pictures, lower is better. Differentiable.

    At the pictures' own size; the authors' script first shrinks the shorter side to 256.

    Args:
        prediction, target: B 3 H W in [0, 1], at least 16 pixels on each side.

    Raises:
        WeightsNotAvailableError: the weights of VGG-16 are not on this machine and cannot be downloaded.
        BokehbenchError: pictures that cannot be compared.
    """
    prediction, target = check_pair(prediction, target, smallest=SMALLEST)
    net = network("DISTS", BACKBONES["vgg"], _make).to(prediction.device)
    value: Tensor = net(prediction.float(), target.float(), require_grad=True)
    return value.reshape(len(prediction))


def _column(sample: Sample) -> Tensor:
    with or_not_measured():
        return dists(*sample.native.pair)


COLUMNS = (Column("dists", "DISTS", _column, "structure and texture by VGG-16", better="lower", published="DISTS"),)
