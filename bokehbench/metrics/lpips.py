"""Learned perceptual similarity (Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018), version 0.1."""

from contextlib import suppress
from typing import Any, Literal

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.lazy import Tensor
from bokehbench.metrics.column import Column, NotMeasuredError
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.pretrained import WeightsNotAvailableError, network, or_not_measured
from bokehbench.metrics.sample import Sample

#: Backbone and the file of torchvision's weights that it needs; the linear weights come with torchmetrics.
BACKBONES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
#: The deepest layer must keep one pixel: AlexNet's first convolution and three poolings.
SMALLEST = 63


def _make(backbone: str) -> Any:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    return LearnedPerceptualImagePatchSimilarity(net_type=backbone, normalize=True).net  # type: ignore[arg-type]


def lpips(prediction: Tensor, target: Tensor, backbone: Literal["alex", "vgg", "squeeze"] = "alex") -> Tensor:
    """LPIPS of each image, shape B, at least 0, 0 for equal pictures, lower is better. Differentiable.

    Args:
        prediction, target: B 3 H W in [0, 1], at least 63 pixels on each side.
        backbone: ``"alex"`` in all published EBB! tables.

    Raises:
        WeightsNotAvailableError: the backbone's weights are not on this machine and cannot be downloaded.
        BokehbenchError: unknown backbone, or pictures that cannot be compared.
    """
    if backbone not in BACKBONES:
        raise BokehbenchError(f"LPIPS has no backbone '{backbone}': {nearest(str(backbone), BACKBONES)}.")
    prediction, target = check_pair(prediction, target, smallest=SMALLEST)
    net = _network(backbone)
    value: Tensor = net.to(prediction.device)(prediction.float(), target.float(), normalize=True)
    return value.reshape(len(prediction))


def _network(backbone: str) -> Any:
    return network(f"LPIPS ({backbone})", BACKBONES[backbone], _make, backbone)


def available(backbone: str) -> bool:
    """Whether the weights can be had; looks for them once."""
    with suppress(WeightsNotAvailableError):
        return bool(_network(backbone))
    return False


def _column(sample: Sample) -> Tensor:
    backbone = sample.protocol.lpips
    if backbone is None:
        raise NotMeasuredError(f"the protocol {sample.protocol.name} has no LPIPS")
    with or_not_measured():
        return lpips(*sample.pair, backbone)


def _vgg(sample: Sample) -> Tensor:
    with or_not_measured():
        return lpips(*sample.native.pair, "vgg")


COLUMNS = (
    Column("lpips", "LPIPS", _column, better="lower", published="LPIPS"),
    Column("lpips_vgg", "LPIPS VGG", _vgg, "LPIPS with VGG-16", better="lower", published="LPIPS VGG"),
)
