"""The authors' DeepLens weights as a state dict of :class:`bokehbench.nets.deeplens.DeepLensNet` (spec 10)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from bokehbench.nets.deeplens import DeepLensNet
from bokehbench.weights import tf_checkpoint
from bokehbench.weights.variables import check, tensorflow_shape, to_torch

PREFIX = "Network/Network/"
_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}

_DEPTH_TAIL = {
    "spp_conv1": "pyramid.spp1",
    **{f"spp_conv_{letter}": f"pyramid.bins.{n}" for n, letter in enumerate("abcd")},
    "spp_conv2": "decoder.spp2",
    "spp_conv3_1": "decoder.skip1",
    "spp_conv3_2": "decoder.dec1",
    "spp_conv4_1": "decoder.skip2",
    "spp_conv4_2": "decoder.dec2",
    "depth_conv1": "head.conv1",
    "depth_conv2": "head.conv2",
}
_KERNEL = (
    "conv1_shallow",
    "conv1",
    *(
        f"res{block}_branch{branch}"
        for block in ("2a", "2b", "3a", "4a", "4b", "4c")
        for branch in ("1", "2a", "2b", "2c")
        if (block, branch) not in (("3a", "1"), ("4c", "1"))  # identity shortcuts
    ),
)
_UPSAMPLING = {
    **{f"lr{n}_1": f"coarse.lr{n}" for n in (1, 2, 3, 5, 6, 7, 8)},
    "lr4_1": "coarse.lr4_1",
    "lr4_2": "coarse.lr4_2",
    "lr9_1": "lr9",
    **{f"pre1_{n + 1}": f"pre.{n}" for n in range(4)},
}


def load_official(path: str | Path) -> dict[str, Tensor]:
    """State dict for ``DeepLensNet(numerics="official", segmentation_head=False)`` from the authors' checkpoint.

    ``path`` is the checkpoint's prefix (PREFIX.index and PREFIX.data-... lie beside each other) or an .npz of
    name -> array. Raises BokehbenchError for a file that cannot be read and for unknown, missing or mis-shaped
    variables, by name.
    """
    return convert(tf_checkpoint.load(path), str(path))


def convert(variables: Mapping[str, np.ndarray], source: str) -> dict[str, Tensor]:
    """The official graph's 488 variables (TensorFlow layout) -> state dict; ``source`` is named in errors."""
    model = DeepLensNet(numerics="official", segmentation_head=False)
    names = official_names()
    shapes = {name: tensorflow_shape(tuple(model.state_dict()[ours].shape)) for name, ours in names.items()}
    check(variables, shapes, f"DeepLens ({source})")
    state = {ours: to_torch(variables[name]) for name, ours in names.items()}
    # Batch counters exist in PyTorch only; with a fixed momentum nothing reads them.
    counters = {name: value for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")}
    return state | counters


def official_names() -> dict[str, str]:
    """Official variable name -> name in our state dict, all 488, in the official order within each layer."""
    names = {}
    for conv, norm, ours_conv, ours_norm in _layers():
        names[f"{PREFIX}{conv}/weights"] = f"{ours_conv}.weight"
        if norm is None or conv == "Depth/conv1":
            names[f"{PREFIX}{conv}/biases"] = f"{ours_conv}.bias"
        if norm is not None:
            names |= {f"{PREFIX}{norm}/{theirs}": f"{ours_norm}.{ours}" for theirs, ours in _NORM.items()}
    return names


def _layers() -> Iterator[tuple[str, str | None, str, str | None]]:
    """(official convolution, official norm or None, our convolution, our norm or None) of every layer."""
    yield "Depth/conv1", "Depth/bn_conv1", "depth.body.conv1", "depth.body.bn1"
    for stage, blocks in ((2, "abc"), (3, "abcd"), (4, "abcdef")):
        for index, block in enumerate(blocks):
            ours = f"depth.body.layer{stage - 1}.{index}"
            theirs = f"{stage}{block}_branch"
            if index == 0:
                yield f"Depth/res{theirs}1", f"Depth/bn{theirs}1", f"{ours}.downsample.0", f"{ours}.downsample.1"
            for n, letter in enumerate("abc", start=1):
                yield f"Depth/res{theirs}2{letter}", f"Depth/bn{theirs}2{letter}", f"{ours}.conv{n}", f"{ours}.bn{n}"
    for theirs, ours in _DEPTH_TAIL.items():
        yield f"Depth/{theirs}", f"Depth/{theirs.replace('conv', 'bn')}", f"depth.{ours}.conv", f"depth.{ours}.bn"
    yield "Depth/depth_pre", None, "depth.head.pre", None
    for theirs in _KERNEL:
        ours = f"kernel_network.{theirs.replace('_branch', '.branch')}"
        norm = theirs.replace("conv" if theirs.startswith("conv") else "res", "bn")
        yield f"Lensblur/{theirs}", f"Lensblur/{norm}", f"{ours}.conv", f"{ours}.bn"
    yield "Lensblur/output", None, "kernel_network.output", None
    for n in range(4):
        yield f"Feature/fea{n + 1}", None, f"feature_network.layers.{n}", None
    for theirs, ours in _UPSAMPLING.items():
        yield f"SR/{theirs}", f"SR/{theirs}_bn", f"upsampling_network.{ours}.conv", f"upsampling_network.{ours}.bn"
    yield "SR/pre1_5", None, "upsampling_network.output", None
    for n in range(4):
        yield f"SR/fea{n + 1}", None, f"upsampling_network.features.layers.{n}", None
