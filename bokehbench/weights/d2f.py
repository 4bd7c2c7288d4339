"""The authors' two D2F checkpoints (one per stage) -> our state dict; the rule is spec d2f.md section 10."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from bokehbench.checkpoints import read_plain
from bokehbench.errors import BokehbenchError
from bokehbench.nets.d2f import D2FNet
from bokehbench.weights.variables import check

#: Beginning of a variable's name in :class:`.D2FNet` -> its beginning in the authors' files; the rest is the same.
PREFIXES = {
    # MiDaS wraps torchvision's stem and first stage in one Sequential: 0 conv1, 1 bn1, 4 layer1.
    "defocus.encoder.conv1.": "midas.pretrained.layer1.0.",
    "defocus.encoder.bn1.": "midas.pretrained.layer1.1.",
    "defocus.encoder.layer1.": "midas.pretrained.layer1.4.",
    **{f"defocus.encoder.layer{k}.": f"midas.pretrained.layer{k}." for k in (2, 3, 4)},
    **{f"defocus.lateral.{k - 1}.": f"midas.scratch.layer{k}_rn." for k in (1, 2, 3, 4)},
    **{f"defocus.refine.{k - 1}.lateral_unit.": f"midas.scratch.refinenet{k}.resConfUnit1." for k in (1, 2, 3, 4)},
    **{f"defocus.refine.{k - 1}.output_unit.": f"midas.scratch.refinenet{k}.resConfUnit2." for k in (1, 2, 3, 4)},
    "defocus.head.": "midas.scratch.output_conv.",
    **{f"radiance.net.{2 * k - 2}.": f"radiance.conv{k}." for k in (1, 2, 3)},
    "fusion.net.0.": "blend.conv1.0.",
    **{f"fusion.net.{k + 2}.": f"blend.conv2.{k}." for k in (0, 2, 4)},
}

#: Block 4's first unit: in the authors' file, run by nobody, absent from our network unless ``unused_unit``.
UNUSED = "defocus.refine.3.lateral_unit."


def official_name(name: str) -> str:
    """The authors' name of a variable of :class:`.D2FNet`'s state dict; KeyError where they have none."""
    for ours, theirs in PREFIXES.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise KeyError(name)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The ``net`` entry of an official checkpoint, on the CPU; no code in the file is run.

    Raises :class:`BokehbenchError` where the file cannot be read so, or has no such entry.
    """
    content = read_plain(path)
    net = content.get("net") if isinstance(content, dict) else None
    if not isinstance(net, Mapping) or not all(isinstance(value, Tensor) for value in net.values()):
        raise BokehbenchError(f"{path} has no entry 'net' of tensors: give one of the authors' two D2F checkpoints.")
    return dict(net)


def load_official(*paths: str | Path, unused_unit: bool = False) -> dict[str, Tensor]:
    """State dict for ``D2FNet(head_activation="none", unused_unit=unused_unit)`` from the authors' two checkpoints.

    ``paths`` are the file of stage 1 (midas, radiance) and that of stage 2 (blend). Raises :class:`BokehbenchError`
    for another number of files, and one that names the file and every unknown, missing or mis-shaped variable in it
    (8 at most).
    """
    if len(paths) != 2:
        raise BokehbenchError(
            f"D2F's weights are two files, not {len(paths)}: give --checkpoint RENDERING_FILE FUSION_FILE."
        )
    with torch.device("meta"):  # shapes only
        shapes = {name: tuple(value.shape) for name, value in D2FNet(unused_unit=True).state_dict().items()}
    state: dict[str, Tensor] = {}
    for stage, path in enumerate(map(Path, paths), 1):
        names = {official_name(name): name for name in shapes if name.startswith("fusion.") == (stage == 2)}
        net = read_checkpoint(path)
        wanted = {name: shapes[ours] for name, ours in names.items()}
        check(net, wanted, f"the authors' D2F checkpoint of stage {stage} ({path})")
        state |= {names[name]: value for name, value in net.items()}
    return {name: value for name, value in state.items() if unused_unit or not name.startswith(UNUSED)}
