"""Suites whose experiments start from each other, on your own RGB-D folder: through the command line."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml
from makers import make_rgbd
from methods import SMALL

from bokehbench.board import results
from bokehbench.cli import main

pytestmark = pytest.mark.usefixtures("forked_steps")
LEVEL = {"steps": 1, "batch_size": 2, "height": 64, "width": 64}
SCENES = {"data.size": 64, "data.blur_radius": 8, "data.val_samples": 1}


def levels(*numbers: int, **more: object) -> dict[str, object]:
    """Options of a fit of PyNET's levels that takes seconds, on synthetic scenes."""
    options = {f"model.{key}": value for key, value in SMALL["pynet"].items()}
    options |= {f"model.level_{number}.{key}": value for number in numbers for key, value in LEVEL.items()}
    return {**options, **SCENES, "model.stages": [f"level_{number}" for number in numbers], **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With ``boards/mine`` of two RGB-D pictures, ``mine.yaml``, and the pictures."""
    make_rgbd(tmp_path / "photos", size=(64, 64))
    (tmp_path / "photos" / "test.txt").write_text("b\nd\n")
    board = tmp_path / "boards" / "mine"
    board.mkdir(parents=True)
    content = {
        "name": "mine", "version": 1, "title": "Mine", "about": "for tests", "obtain": "made", "split": "all",
        "protocol": "bokehme", "count": 2, "columns": ["psnr", "ssim"], "rank_by": "psnr",
        "data": {"name": "iphonedepth"},
    }  # fmt: skip
    (board / "board.yaml").write_text(yaml.safe_dump(content))
    suite = {
        "options": {"data.num_workers": 0, "trainer.accelerator": "cpu"},
        "source": "A and B 2020, Table 1",
        "experiments": [
            {"name": "coarse", "model": "pynet", "from": "start", "stage": "level_7", "published": {"psnr": 21.5}},
            {"name": "fine", "model": "pynet", "fit": levels(6, **{"model.weights": "{start}"})},
            {"name": "start", "model": "pynet", "fit": levels(7), "test": False},
        ],
        "expect": [{"better": "fine", "than": "coarse", "column": "psnr", "about": "finer is better"}],
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(suite))
    return tmp_path


def run(folder: Path, *more: str) -> int:
    """The suite on the folder of photos; its fits are on synthetic scenes."""
    return main([
        "benchmark", str(folder / "mine.yaml"), "--board", str(folder / "boards" / "mine"),
        "--folder", str(folder / "work"), "--fits", str(folder / "fits"),
        f"--test.data.root={folder / 'photos'}", *more,
    ])  # fmt: skip


def test_a_suite_on_a_folder_of_photos_from_shared_fits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--only", "coarse") == 0
    assert len(list((folder / "fits").iterdir())) == 1, "only what the chosen ones need"
    assert run(folder) == 0
    printed = capsys.readouterr().out
    assert len(list((folder / "fits").iterdir())) == 2
    assert list((folder / "work" / "fine").glob("fit-*/fit.log")), "also seen from the suite's folder"

    stored = {(result.method, result.variant): result for result in results.read_all(folder / "boards" / "mine")}
    assert set(stored) == {("PyNET", "coarse"), ("PyNET", "fine")}
    assert all(result.inference["data"]["class"] == "IPhoneDepth" for result in stored.values())
    assert all(set(result.per_image) == {"b", "d"} for result in stored.values())
    assert stored["PyNET", "fine"].training["data"]["class"] == "SyntheticDoF"
    assert re.search(r"\| PyNET-w\d+\S* \(coarse\) \|", (folder / "boards" / "mine" / "table.md").read_text())

    page = (folder / "work" / "table.md").read_text()
    assert "| coarse |" in page
    assert "| 21.5 |" in page
    assert "Published: A and B 2020, Table 1." in page
    for text in (printed, page):
        assert "finer is better (fine - coarse, PSNR (dB): " in text
    rows = list(csv.DictReader((folder / "work" / "table.csv").open()))
    assert [row["published"] for row in rows if row["column"] == "psnr"] == ["21.5", ""]
    psnr = next(float(row["mean"]) for row in rows if (row["experiment"], row["column"]) == ("coarse", "psnr"))
    assert psnr == pytest.approx(sum(stored["PyNET", "coarse"].values("psnr").values()) / 2, rel=1e-4)


def test_what_needs_a_failed_fit_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--only", "fine", "--fit.data.size=1") == 1
    printed = capsys.readouterr().out
    assert "start: --data.size" in printed
    assert "fine: it needs the fit of 'start', which failed" in printed
