"""Learned perceptual similarity (Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018), version 0.1."""

import functools
import socket
import warnings
from typing import Any, Literal

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.lazy import Tensor, torch
from bokehbench.metrics.column import Column, NotMeasuredError
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.sample import Sample

#: Backbone and the file of torchvision's weights that it needs; the linear weights come with torchmetrics.
BACKBONES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
#: The deepest layer must keep one pixel: AlexNet's first convolution and three poolings.
SMALLEST = 63
#: What a table shows where LPIPS could not be computed.
NOT_AVAILABLE = "n/a: weights not available"


class WeightsNotAvailableError(BokehbenchError):
    """LPIPS cannot be computed here; tables say so instead of leaving the column out."""


@functools.lru_cache
def _load(backbone: str) -> Any:
    """The network, or the error: remembered either way, because a machine without network waits for every try."""
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(15)  # a firewall that drops packets would hold the caller for minutes
    try:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        # Not in Lightning's inference mode, where scoring may ask first: such weights could not be a loss afterwards
        with torch.inference_mode(False), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of torchvision, about an argument that torchmetrics uses
            net = LearnedPerceptualImagePatchSimilarity(net_type=backbone, normalize=True).net  # type: ignore[arg-type]
    except (OSError, ImportError, RuntimeError) as error:
        return WeightsNotAvailableError(
            f"LPIPS ({backbone}) needs the weights {BACKBONES[backbone]}, which could not be loaded ({error}): connect "
            f"to a network once, or put the file of torchvision's model zoo into {torch.hub.get_dir()}/checkpoints."
        )
    finally:
        socket.setdefaulttimeout(waited)
    return net.eval().requires_grad_(False)


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
    net = _load(backbone)
    if isinstance(net, WeightsNotAvailableError):
        # A new one each time: the remembered one would keep the frames, and pictures, of everybody it was raised to
        raise WeightsNotAvailableError(str(net))
    value: Tensor = net.to(prediction.device)(prediction.float(), target.float(), normalize=True)
    return value.reshape(len(prediction))


def available(backbone: str) -> bool:
    """Whether the weights can be had; looks for them once."""
    return not isinstance(_load(backbone), WeightsNotAvailableError)


def _column(sample: Sample) -> Tensor:
    backbone = sample.protocol.lpips
    if backbone is None:
        raise NotMeasuredError(f"the protocol {sample.protocol.name} has no LPIPS")
    try:
        return lpips(*sample.pair, backbone)
    except WeightsNotAvailableError:
        raise NotMeasuredError(NOT_AVAILABLE) from None


COLUMNS = (Column("lpips", "LPIPS", _column, better="lower", published="LPIPS"),)
