"""What tests and fits leave for figures: pictures beside a result, training curves beside a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from made_boards import make_board
from methods import words
from PIL import Image

from bokehbench import figures
from bokehbench.board import leaderboard, results
from bokehbench.board.standings import read_standings
from bokehbench.cli import main
from bokehbench.figures.contact_sheet import blocks
from bokehbench.figures.stored_pictures import find_stored

DATA = ["--data", "syntheticdof", "--data.size=64", "--data.blur_radius=8", "--data.test_samples=3",
        "--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]  # fmt: skip


def test_a_test_stores_its_first_pictures_as_scored_and_the_sheet_shows_them(tmp_path: Path) -> None:
    board, work = make_board(tmp_path, count=3, ids=None, columns=["psnr", "psnr_border"]), tmp_path / "work"
    for method in ("gaussian", "identity"):
        out = work / method / "test-1" / "result.json"
        recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder",
                    f"--trainer.callbacks.board={board}", f"--trainer.callbacks.output={out}",
                    "--trainer.callbacks.pictures=2", f"--trainer.default_root_dir={tmp_path}"]  # fmt: skip
        assert main(["test", "--model", method, *DATA, *recorder]) == 0
        out.write_text(replace(results.read(out), flags=()).to_json())  # however clean this checkout is
        leaderboard.add(board, results.read(out))
    found = list(blocks(find_stored(read_standings(board), work), read_standings(board)))
    assert [block.name for block in found] == ["synthetic-test-000000", "synthetic-test-000001"]
    for block in found:
        assert [cell.title for cell in block.cells] == ["input", "Gaussian", "Identity", "target"]
        sharp, _, identity, target = (cell.pixels.astype(float) for cell in block.cells)
        assert np.array_equal(sharp, identity)
        psnr = 10 * np.log10(255**2 / ((identity - target) ** 2).mean())
        assert block.cells[2].score == f"{psnr:.2f} dB"
    names = [path.name for path in figures.draw(board, tmp_path / "out", work)]
    assert names == ["tiny-time.png", "tiny-edges.png", "tiny-contact.webp"]
    masks = sorted((work / "gaussian" / "test-1" / "pictures" / "in_focus").glob("*.png"))
    assert [Image.open(mask).size for mask in masks] == [(64, 64)] * 2


def test_a_fit_ends_with_its_training_curves(tmp_path: Path, capsys) -> None:
    small = [*words("deeplens", steps=3), f"--trainer.default_root_dir={tmp_path}"]
    assert main(["fit", *small, "--trainer.log_every_n_steps=1"]) == 0
    picture = tmp_path / "deeplens" / "version_0" / "training.png"
    assert f"Training curves: {picture}" in capsys.readouterr().out
    with Image.open(picture) as image:
        assert image.width == 1600
