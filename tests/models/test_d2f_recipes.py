"""D2F's encoders, and the authors' weights through the command line."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import picture, save
from PIL import Image

from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models.d2f import D2F
from bokehbench.models.load import load_model


def test_another_encoder_is_possible_and_an_unknown_one_named() -> None:
    with pytest.raises(BokehbenchError, match=r"--model\.backbone resnet999"):
        D2F(backbone="resnet999")
    with pytest.raises(BokehbenchError, match="stride 4, 8, 16 and 32"):
        D2F(backbone="vgg11")


def test_the_authors_two_files_become_a_checkpoint_that_renders(parity_dir: Path, tmp_path: Path, capsys) -> None:
    spec = importlib.util.spec_from_file_location("d2f_recipe", parity_dir / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    variables = {
        row["name"]: torch.from_numpy(np.asarray(value))
        for row, value in recipe.variables(parity_dir / "d2f_variables.csv")
    }
    files = [tmp_path / "rendering.pth", tmp_path / "fusion.pth"]
    for file, fusion in zip(files, (False, True), strict=True):
        net = {name: value for name, value in variables.items() if name.startswith("blend.") == fusion}
        torch.save({"net": net, "optimizer": {}}, file)
    out = tmp_path / "official.ckpt"
    command = ["import-weights", "--model", "d2f", "-o", str(out), "--checkpoint"]
    assert main([*command, str(files[0])]) == 2
    assert "two files" in capsys.readouterr().err
    assert main([*command, *map(str, files)]) == 0
    model = load_model(out, D2F)
    assert isinstance(model, D2F)
    assert model.net.defocus.head_activation == "none"
    assert torch.equal(model.net.fusion.net[0].weight, variables["blend.conv1.0.weight"])
    photo = save(tmp_path / "photo.jpg", picture(3, (80, 120)))
    assert main(["render", str(photo), "--checkpoint", str(out), "-o", str(tmp_path / "o.png")]) == 0
    assert Image.open(tmp_path / "o.png").size == (120, 80)
