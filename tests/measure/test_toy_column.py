"""A column of somebody else's package, one file: every place that shows scores knows it."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from measured_boards import SCENES, make_scenes_board, test_on
from PIL import Image

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.metrics.columns import columns

TOY = '''
"""Mean absolute error of the output's red channel."""

from bokehbench.metrics import Column


def red(sample):
    return (sample.output - sample.target)[:, 0].abs().flatten(1).mean(1)


RED = Column("toy_red", "Toy red error", red, "mean absolute error of red", better="lower", decimals=3)
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """What installing the package does: a module, and an entry point in its metadata."""
    site = tmp_path / "site"
    (site / "toy-1.0.dist-info").mkdir(parents=True)
    (site / "toy.py").write_text(TOY)
    (site / "toy-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (site / "toy-1.0.dist-info" / "entry_points.txt").write_text("[bokehbench.columns]\nred = toy:RED\n")
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()


@pytest.mark.usefixtures("installed")
def test_a_column_in_one_file_is_in_test_board_report_score_and_verify(tmp_path, capsys):
    board = make_scenes_board(tmp_path, columns=["psnr", "toy_red"])
    result = test_on(board, tmp_path / "run" / "result.json", "--model", "layered", "--columns", "toy_red")
    assert "Toy red error" in capsys.readouterr().out, "test's table"
    assert 0 < min(result.values("toy_red").values()) < 0.1
    assert main(["leaderboard", "add", str(tmp_path / "run" / "result.json"), "--board", str(board)]) == 0
    page = (board / "table.md").read_text()
    assert "Toy red error" in page
    assert main(["report", str(board), "-o", str(tmp_path / "report")]) == 0
    assert "Toy red error" in (tmp_path / "report" / "index.html").read_text()
    assert '"better":"lower"' in (tmp_path / "report" / "data" / "board.js").read_text()

    pictures = np.random.default_rng(0).integers(0, 200, (2, 40, 50, 3), dtype=np.uint8)
    for name, more in (("ours", 51), ("true", 0)):
        (tmp_path / name).mkdir()
        Image.fromarray(pictures[0] + np.uint8([more, 0, 0])).save(tmp_path / name / "a.png")
    words = ["score", str(tmp_path / "ours"), "--targets", str(tmp_path / "true"), "--protocol", "bokehme"]
    assert main([*words, "--columns", "toy_red", "--workers", "1", "--csv", str(tmp_path / "scores.csv")]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("toy_red")]
    assert line.split() == ["toy_red", "0.2000", *["mean", "absolute", "error", "of", "red"]]
    assert (tmp_path / "scores.csv").read_text().splitlines()[0].endswith(",toy_red")

    (stored,) = results.read_all(board)
    assert main(["leaderboard", "verify", stored.id, "--board", str(board), "--device", "cpu"]) == 0
    assert "toy_red" in capsys.readouterr().out


@pytest.mark.usefixtures("installed")
def test_without_the_package_its_column_is_named(tmp_path, capsys, monkeypatch):
    board = make_scenes_board(tmp_path, columns=["psnr", "toy_red"])
    monkeypatch.undo()
    assert main(["leaderboard", "check", str(board)]) == 2
    assert "no column 'toy_red'" in capsys.readouterr().err
    assert main(["test", "--model", "identity", *SCENES, "--columns", "toy_red"]) == 2


@pytest.mark.parametrize("entry", ["toy:NOTHING", "toy:red", "nowhere:RED"])
def test_an_entry_point_that_is_none_is_one_sentence_where_it_is_asked_for(tmp_path, installed, capsys, entry):
    (tmp_path / "site" / "toy-1.0.dist-info" / "entry_points.txt").write_text(f"[bokehbench.columns]\nred = {entry}\n")
    importlib.invalidate_caches()
    assert "psnr" in columns()
    assert main(["score", str(tmp_path), "--targets", str(tmp_path), "--columns", "toy_red"]) == 2
    assert f"The column 'red' of toy 1.0 ({entry})" in capsys.readouterr().err
