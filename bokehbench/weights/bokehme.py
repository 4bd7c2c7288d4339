"""The authors' two BokehMe checkpoints -> our state dict; the rule is spec bokehme.md section 3."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from bokehbench.checkpoints import read_plain
from bokehbench.errors import BokehbenchError
from bokehbench.nets.bokehme import BokehMeNet
from bokehbench.weights.variables import check

#: Our two networks, and what the authors call the files.
NETWORKS = {"small": "arnet", "upsampling": "iunet"}
_LAYERS = {"head": "conv0.conv", "tail": "conv1.conv"}
_CONVOLUTIONS = {"first": "0", "second": "1"}


def official_name(name: str) -> str:
    """The authors' name of a variable of :class:`.BokehMeNet`'s state dict, within the file of its network."""
    _, layer, rest = name.split(".", 2)
    if layer in _LAYERS:
        return f"{_LAYERS[layer]}.{rest}"
    number, convolution, kind = re.fullmatch(r"(\d+)\.(\w+)\.(\w+)", rest).groups()  # type: ignore[union-attr]
    return f"block_stack.blocks.{number}.{_CONVOLUTIONS[convolution]}.conv.{kind}"


def load_official(*paths: str | Path) -> dict[str, Tensor]:
    """State dict for :class:`.BokehMeNet` from ``arnet.pth`` and ``iunet.pth``, in this order.

    Raises :class:`BokehbenchError` for another number of files, and one that names the file and every unknown, missing
    or mis-shaped variable in it (8 at most). No code in the files is run.
    """
    if len(paths) != len(NETWORKS):
        raise BokehbenchError(
            f"BokehMe's weights are two files, not {len(paths)}: give --checkpoint arnet.pth iunet.pth."
        )
    with torch.device("meta"):  # shapes only
        shapes = {name: tuple(value.shape) for name, value in BokehMeNet().state_dict().items()}
    state: dict[str, Tensor] = {}
    for (network, file), path in zip(NETWORKS.items(), map(Path, paths), strict=True):
        content = read_plain(path, arrays=True)  # the best values of its training are arrays
        net = content.get("model") if isinstance(content, dict) else None
        if not isinstance(net, Mapping) or not all(isinstance(value, Tensor) for value in net.values()):
            raise BokehbenchError(f"{path} has no entry 'model' of tensors: give the authors' {file}.pth.")
        names = {official_name(name): name for name in shapes if name.startswith(f"{network}.")}
        check(net, {name: shapes[ours] for name, ours in names.items()}, f"the authors' BokehMe {file}.pth ({path})")
        state |= {names[name]: value for name, value in net.items()}
    return state
