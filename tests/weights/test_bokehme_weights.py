"""Reading the authors' two BokehMe checkpoints, as files with their names, shapes and extra entries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.nets.bokehme import BokehMeNet
from bokehbench.weights.bokehme import NETWORKS, load_official, official_name


@pytest.fixture(scope="module")
def net() -> BokehMeNet:
    torch.manual_seed(3)
    return BokehMeNet()


def write(folder: Path, net: BokehMeNet) -> list[Path]:
    """As the authors': with the optimiser's state, and numpy arrays of the best values."""
    paths = []
    for ours, theirs in NETWORKS.items():
        state = net.state_dict().items()
        model = {official_name(name): value for name, value in state if name.startswith(f"{ours}.")}
        paths.append(folder / f"{theirs}.pth")
        content = {"global_step": 7, "model": model, "optimizer": {"lr": 1e-4}, "best_eval_measures": np.zeros(3)}
        torch.save(content, paths[-1])
    return paths


def test_names_are_those_of_the_released_files(parity_dir: Path, net: BokehMeNet) -> None:
    listed = [line.split(",") for line in (parity_dir / "bokehme_variables.csv").read_text().splitlines()]
    column, shape = listed[0].index("name"), listed[0].index("shape")
    theirs = {line[column]: line[shape] for line in listed[1:]}
    ours = {f"{NETWORKS[name.split('.')[0]]}.{official_name(name)}": value for name, value in net.state_dict().items()}
    assert {name: "x".join(map(str, value.shape)) for name, value in ours.items()} == theirs


def test_both_files_fill_the_network(tmp_path: Path, net: BokehMeNet) -> None:
    found = load_official(*write(tmp_path, net))
    assert {name: value.shape for name, value in found.items()} == {n: v.shape for n, v in net.state_dict().items()}
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in found.items())


@pytest.mark.parametrize("kind", ["one file", "swapped", "no entry", "missing"])
def test_other_files_are_refused_by_name(tmp_path: Path, net: BokehMeNet, kind: str) -> None:
    small, upsampling = write(tmp_path, net)
    paths: list[Path] = [small, upsampling]
    if kind == "one file":
        paths = [small]
    if kind == "swapped":
        paths = [upsampling, small]
    if kind == "no entry":
        torch.save({"weights": {}}, small)
    if kind == "missing":
        content: dict[str, dict[str, Tensor]] = torch.load(small, weights_only=False)
        content["model"].pop("conv0.conv.bias")
        torch.save(content, small)
    said = {
        "one file": "arnet.pth iunet.pth",
        "swapped": "iunet.pth",
        "no entry": "'model'",
        "missing": "conv0.conv.bias",
    }
    with pytest.raises(BokehbenchError, match=said[kind]):
        load_official(*paths)


def test_imported_weights_render(tmp_path: Path, net: BokehMeNet) -> None:
    from PIL import Image

    photo, disparity, out = (tmp_path / f"{name}.png" for name in ("photo", "map", "out"))
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)).save(photo)
    Image.fromarray(np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))).save(disparity)
    files = [str(path) for path in write(tmp_path, net)]
    weights = str(tmp_path / "weights")
    assert main(["import-weights", "--model", "bokehme", "--checkpoint", *files, "-o", weights]) == 0
    words = ["--model", "bokehme", "--checkpoint", weights, "--disparity", str(disparity), "--aperture", "12"]
    assert main(["render", str(photo), *words, "-o", str(out)]) == 0
    assert Image.open(out).size == (32, 24)
