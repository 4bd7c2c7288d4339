"""The VGG-19 feature distance of PyNET's last level: whose weights, and how much it counts."""

import socket
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.checkpoints import read_plain
from bokehbench.errors import BokehbenchError

#: The 16 convolutions of VGG-19 (Simonyan and Zisserman 2015, column E) and their places in torchvision's ``features``.
PLACES = {
    f"conv{block}_{number}": place
    for block, first, count in ((1, 0, 2), (2, 5, 2), (3, 10, 4), (4, 19, 4), (5, 28, 4))
    for number, place in enumerate(range(first, first + 2 * count, 2), 1)
}
OPTION = "--model.perceptual"
Weights = dict[str, Tensor]


class VGGDistance(nn.Module):
    """Mean squared difference of VGG-19's relu5_4 features, frozen; a scalar, differentiable in the prediction.

    Args:
        weights: ``convB_N.weight`` (out in 3 3) and ``convB_N.bias`` of the 16 convolutions.
        caffe: weights in the scale of the original release (matconvnet): RGB times 255 minus (123.68, 116.779,
            103.939). Otherwise torchvision's: (RGB - mean) / std.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, weights: Weights, caffe: bool) -> None:
        super().__init__()
        self.features = empty_features()
        placed = {}
        for name, value in weights.items():
            convolution, _, part = name.partition(".")
            placed[f"{PLACES[convolution]}.{part}"] = value.float().contiguous()
        self.features.load_state_dict(placed, assign=True)
        if caffe:
            shift, scale = torch.tensor([123.68, 116.779, 103.939]) / 255, torch.full((3,), 1 / 255)
        else:
            shift, scale = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("shift", shift[:, None, None])
        self.register_buffer("scale", scale[:, None, None])
        self.caffe = caffe
        self.requires_grad_(False).eval()

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """B 3 H W each, RGB nominally in [0, 1], sides of at least 16."""
        with torch.no_grad():
            wanted = self.features((target - self.shift) / self.scale)
        return F.mse_loss(self.features((prediction - self.shift) / self.scale).float(), wanted.float())


def load_vgg(source: str) -> VGGDistance:
    """The distance under ``source``: ``torchvision`` (downloads its weights once), or the path of a file.

    A file holds torchvision's state dict (.pth, .safetensors), or the original weights: matconvnet's
    ``imagenet-vgg-verydeep-19.mat``, or ``conv1_1.weight`` (out in 3 3), ``conv1_1.bias``, ... as .npz or
    .safetensors.

    Raises:
        BokehbenchError: no network, no such file, or other contents; names the option.
    """
    if source == "torchvision":
        return VGGDistance(named(_download(), source), caffe=False)
    path = Path(source)
    if not path.is_file():
        raise BokehbenchError(f"{OPTION} {source}: there is no such file; give one, or torchvision, or none.")
    if path.suffix == ".mat":
        return VGGDistance(read_mat(path), caffe=True)
    content = read_tensors(path)
    return VGGDistance(named(content, source), caffe="features.0.weight" not in content)


def empty_features() -> nn.Sequential:
    """VGG-19 up to relu5_4, without memory."""
    from torchvision.models.vgg import cfgs, make_layers  # type: ignore[import-untyped]

    with torch.device("meta"):
        layers: nn.Sequential = make_layers(cfgs["E"])[:-1]
    return layers


def read_tensors(path: Path) -> Weights:
    """A file of named tensors (.npz, .safetensors, what torch saved; nothing in it is run), else BokehbenchError."""
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]).float() for name in arrays.files}
        return {name: value for name, value in read_plain(path).items() if isinstance(value, Tensor)}
    except Exception as error:
        raise BokehbenchError(
            f"{OPTION} {path} holds no weights that can be read ({type(error).__name__}): fetch the file again."
        ) from error


def named(content: Weights, source: str) -> Weights:
    """Torchvision's names as ``convB_N``; BokehbenchError names the first of them that is missing or mis-shaped."""
    weights, features = {}, empty_features()
    for name, place in PLACES.items():
        for part, like in features[place].named_parameters():
            value, shape = content.get(f"features.{place}.{part}", content.get(f"{name}.{part}")), tuple(like.shape)
            if value is None or tuple(value.shape) != shape:
                found = "missing" if value is None else f"of shape {tuple(value.shape)}"
                raise BokehbenchError(f"{OPTION} {source} is no VGG-19: {name}.{part} is {found}, not {shape}.")
            weights[f"{name}.{part}"] = value
    return weights


def read_mat(path: Path) -> Weights:
    """Matconvnet's file, else BokehbenchError. Its kernels are (w, h, in, out), as all ports of it read them."""
    from scipy.io import loadmat

    weights: Weights = {}
    try:
        for layer in loadmat(path, simplify_cells=True)["layers"]:
            name = layer["name"]
            if name in PLACES:
                kernels, bias = layer["weights"] if "weights" in layer else (layer["filters"], layer["biases"])
                weights[f"{name}.weight"] = torch.from_numpy(np.array(kernels, np.float32)).permute(3, 2, 1, 0)
                weights[f"{name}.bias"] = torch.from_numpy(np.array(bias, np.float32)).flatten()
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise BokehbenchError(f"{OPTION} {path} is not matconvnet's VGG-19 ({type(error).__name__}).") from error
    return named(weights, str(path))


def _download() -> Weights:
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(15)  # a firewall that drops packets would hold the caller for minutes
    try:
        from torchvision.models import VGG19_Weights  # type: ignore[import-untyped]

        state: Weights = VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise BokehbenchError(
            f"The VGG-19 weights of level 1's loss could not be downloaded ({error}): give a file with {OPTION} FILE, "
            f"or train without that term with {OPTION} none."
        ) from error
    finally:
        socket.setdefaulttimeout(waited)
    return state
