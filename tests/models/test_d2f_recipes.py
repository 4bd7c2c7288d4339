"""D2F's recipes and ablations, its encoders, and the authors' weights through the command line."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from makers import picture, save
from methods import SMALL
from PIL import Image

from bokehbench import experiments
from bokehbench.cli import main
from bokehbench.commands import lightning
from bokehbench.errors import BokehbenchError
from bokehbench.models.d2f import D2F
from bokehbench.models.load import load_model
from bokehbench.models.stages import StageRecipe


@pytest.mark.parametrize("path", sorted(experiments.folder().glob("d2f_*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_names_options_that_exist(path: Path) -> None:
    options = yaml.safe_load(path.read_text())["model"]["init_args"]
    for stage in set(options) & {"rendering", "fusion"}:
        options[stage] = StageRecipe(**options[stage])
    assert D2F(**{**options, **SMALL["d2f"], "backbone_pretrained": False}).stages


def test_an_ablation_changes_its_switch_alone_in_the_recipe_before_it() -> None:
    words = ["fit", "--config", "d2f_ebb", "--config", "d2f_ablation_radiance_off", "--print_config"]
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
        lightning.main(words)
    options = yaml.safe_load(shown.getvalue())["model"]["init_args"]
    assert options["radiance"] == "off"
    assert options["backbone_pretrained"] is True
    assert options["rendering"]["steps"] == 44_000


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
    model = load_model(out, "D2F")
    assert isinstance(model, D2F)
    assert model.net.defocus.head_activation == "none"
    assert torch.equal(model.net.fusion.net[0].weight, variables["blend.conv1.0.weight"])
    photo = save(tmp_path / "photo.jpg", picture(3, (80, 120)))
    assert main(["render", str(photo), "--checkpoint", str(out), "-o", str(tmp_path / "o.png")]) == 0
    assert Image.open(tmp_path / "o.png").size == (120, 80)
