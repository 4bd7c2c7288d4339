"""The authors' PyNET-bokeh weights (TensorFlow checkpoint) -> this package's state dict.

The file numbers its tensors ``generator/Variable``, ``generator/Variable_1``, ... in the order in which the authors'
graph was built; nothing in it says which layer a tensor belongs to. So the order is derived here from the modules.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.pynet import LEVELS, PyNETNet
from bokehbench.weights import tf_checkpoint
from bokehbench.weights.variables import check, tensorflow_shape, to_torch

Arrays = dict[str, np.ndarray]


def _shift_first(module: nn.Module) -> list[str]:
    """Parameter names inside ``module`` in creation order: instance norm makes its shift before its scale."""
    names = []
    for prefix, child in module.named_modules():
        own = [name for name, _ in child.named_parameters(recurse=False)]
        if isinstance(child, nn.GroupNorm):
            own.reverse()
        names += [f"{prefix}.{name}" if prefix else name for name in own]
    return names


def official_order(net: PyNETNet) -> list[str]:
    """State-dict names in the authors' creation order (440 of them).

    That is forward order, except that the two upsamplings out of levels 7 to 4 are created before that level's head.
    """
    modules: list[tuple[str, nn.Module]] = [("encoder", net.encoder)]
    for level in LEVELS:
        name = f"level_{level}"
        children = dict(getattr(net, name).named_children())
        head = children.pop("head")
        if level in (6, 5, 4, 3):
            children.pop("up")  # created with the coarser level
        modules += [(f"{name}.{child}", module) for child, module in children.items()]
        if level >= 4:
            modules.append((f"level_{level - 1}.up", getattr(net, f"level_{level - 1}").up))
        modules.append((f"{name}.head", head))
    return [f"{prefix}.{name}" for prefix, module in modules for name in _shift_first(module)]


def official_names(count: int) -> list[str]:
    """TensorFlow's names of ``count`` variables in creation order."""
    return ["generator/Variable"] + [f"generator/Variable_{number}" for number in range(1, count)]


def from_official(arrays: Arrays, source: object = "checkpoint") -> dict[str, Tensor]:
    """{"generator/Variable_N": array} -> state dict of :class:`PyNETNet` (float32).

    Convolutions turn from (h, w, in, out) and transposed ones from (h, w, out, in) into torch's layouts. The width and
    whether there is a depth channel follow from the first kernel.

    Raises:
        BokehbenchError: a tensor is unknown, missing or of the wrong shape; the message names it.
    """
    if "generator/Variable" not in arrays:
        raise BokehbenchError(f"{source}: generator/Variable is missing; this is no PyNET-bokeh checkpoint.")
    first = arrays["generator/Variable"].shape  # 3 3 4C width
    if len(first) != 4 or first[:2] != (3, 3) or first[2] not in (12, 16):
        raise BokehbenchError(
            f"{source}: generator/Variable has shape {tuple(first)}, but PyNET's first kernel is 3x3x16xwidth; "
            "this is no PyNET-bokeh checkpoint."
        )
    with torch.device("meta"):
        net = PyNETNet(width=first[3], depth_input=first[2] == 16)
    shapes = {name: tuple(parameter.shape) for name, parameter in net.state_dict().items()}
    wanted = dict(zip(official_names(len(shapes)), official_order(net), strict=True))
    layouts = {official: tensorflow_shape(shapes[name]) for official, name in wanted.items()}
    check(arrays, layouts, "PyNET-bokeh")
    state = {name: to_torch(arrays[official]) for official, name in wanted.items()}
    return {name: state[name] for name in shapes}


def load_official(path: str | Path) -> dict[str, Tensor]:
    """Read the authors' checkpoint (TensorFlow prefix, or an .npz with the same names) as a state dict.

    Raises:
        BokehbenchError: no such file, or it does not hold exactly PyNET-bokeh's tensors.
    """
    return from_official(tf_checkpoint.load(path), path)
