"""`bokehbench doctor` as a user sees it."""

from __future__ import annotations

import sys

import pytest
from makers import picture, save

from bokehbench.cli import main


def test_it_says_what_is_here_and_finds_data(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("input", "target"):
        for name in ("a", "b"):
            save(tmp_path / "my photos" / folder / f"{name}.png", picture(1, (20, 24)))
    (tmp_path / "empty").mkdir()
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "torch " in said
    assert "CPU: " in said
    assert "my photos: Pairs" in said
    assert "2 test" in said
    assert "empty" not in said
    assert "All that is needed is here." in said


def test_a_broken_package_is_a_problem_with_a_remedy(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "kornia", None)  # as an import of a broken build: ImportError
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "PROBLEM  kornia does not load" in said
    assert "install it again" in said


def test_a_folder_that_is_none_is_refused(tmp_path, capsys) -> None:
    assert main(["doctor", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("layout", ["rgbd", "ebb"])
def test_layouts_are_told_apart(tmp_path, monkeypatch, capsys, layout) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "data"
    if layout == "rgbd":
        for number in range(4):
            save(root / "images" / f"{number}.png", picture(number, (20, 24)))
            save(root / "depth" / f"{number}.png", picture(number, (20, 24)))
    else:
        for folder in ("original", "bokeh"):
            save(root / "Training" / folder / "1.jpg", picture(1, (20, 24)))
    assert main(["doctor", "data"]) == 0
    assert ("data: IPhoneDepth" if layout == "rgbd" else "data: EBB") in capsys.readouterr().out
