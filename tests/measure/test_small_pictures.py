"""A picture smaller than a window of a metric: n/a for that column, with its name, and the others go on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from makers import blurred, picture, save

import bokehbench as bb
from bokehbench.cli import main

SIZES = {"large": (96, 96), "small": (5, 9), "tiny": (1, 1)}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for seed, (name, size) in enumerate(SIZES.items()):
        save(tmp_path / "set" / "input" / f"{name}.png", picture(seed, size))
        save(tmp_path / "set" / "target" / f"{name}.png", blurred(picture(seed + 9, size)))
    return tmp_path / "set"


def test_a_test_goes_on_and_names_the_picture(pairs: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["test", "--model", "identity", "--data", "pairs", "--data.root", str(pairs), "--data.num_workers", "0"]
    assert main([*words, "--trainer.logger", "false", "--trainer.accelerator", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "SSIM: n/a for small, tiny, too small for it" in printed
    table = pd.read_csv(next(tmp_path.rglob("test.csv"))).set_index("name")
    assert table["psnr"].notna().all()
    assert table["ssim"].notna().to_dict() == {"large": True, "small": False, "tiny": False}


def test_scores_of_folders_say_why(pairs: Path, capsys) -> None:
    words = ["score", str(pairs / "input"), "--targets", str(pairs / "target"), "--workers", "1", "--diagnostics"]
    assert main([*words, "--protocol", "dmshn,pynet", "--allow-duplicates"]) == 0
    printed = capsys.readouterr().out
    why = "pictures of 9 x 5 pixels (small) are too small: this metric needs 7 on each side"
    assert f"SSIM of dmshn: n/a: {why}" in printed
    assert "psnr_registered: n/a: pictures of 9 x 5 pixels (small) are too small: this metric needs 81" in printed
    assert "protocol 'pynet' leaves nothing of them" in printed


def test_python_has_the_reason_too(pairs: Path) -> None:
    frame = bb.score(pairs / "input", pairs / "target", protocol="dmshn")
    assert frame.loc["large", "ssim"] > -1
    assert frame["ssim"].isna().sum() == 2
    assert "(small)" in frame.attrs["missing"]["ssim"]
