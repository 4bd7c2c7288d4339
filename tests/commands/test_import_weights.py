"""The authors' DeepLens weights through the command line, to a picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from makers import picture, save
from PIL import Image

from bokehbench.cli import main


@pytest.fixture(scope="module")
def variables(parity_dir: Path) -> dict[str, np.ndarray]:
    spec = importlib.util.spec_from_file_location("parity_recipe", parity_dir / "recipe.py")
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return {row["name"]: array for row, array in recipe.variables(parity_dir / "deeplens_variables.csv")}


def test_official_weights_become_a_folder_that_renders(variables, tmp_path, capsys) -> None:
    np.savez(tmp_path / "official.npz", **variables)
    out = tmp_path / "official"
    assert (
        main(["import-weights", "--model", "deeplens", "--checkpoint", str(tmp_path / "official.npz"), "-o", str(out)])
        == 0
    )
    photo = save(tmp_path / "photo.jpg", picture(3, (80, 120)))
    assert (
        main(["render", str(photo), "--checkpoint", str(out), "--focus", "60,40", "-o", str(tmp_path / "o.png")]) == 0
    )
    assert Image.open(tmp_path / "o.png").size == (120, 80)
    assert "DeepLens" in capsys.readouterr().out


def test_missing_variables_are_named(variables, tmp_path, capsys) -> None:
    name = next(iter(variables))
    np.savez(tmp_path / "cut.npz", **{key: value for key, value in variables.items() if key != name})
    assert main(["import-weights", "--model", "deeplens", "--checkpoint", str(tmp_path / "cut.npz")]) == 2
    assert name in capsys.readouterr().err
