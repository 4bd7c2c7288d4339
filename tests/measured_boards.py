"""Boards of tiny scenes and results that commands made: ``make_scenes_board(home)``, ``test_on(board, ...)``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from made_boards import make_board
from methods import words

from bokehbench.board import results
from bokehbench.board.results import Result
from bokehbench.cli import main

COLUMNS = [
    "psnr", "ssim", "psnr_in_focus", "psnr_border", "psnr_out_of_focus", "ssim_out_of_focus",
    "psnr_gain", "blur_amount", "depth_mae",
]  # fmt: skip
DATA = {"name": "syntheticdof", "arguments": {"size": 64, "test_samples": 3, "aperture": 8}}
#: Options of a test on these scenes.
SCENES = ["--data.size=64", "--data.aperture=8", "--data.test_samples=3", "--data.num_workers=0",
          "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]  # fmt: skip


def make_scenes_board(home: Path, pinned: bool = True, **settings: Any) -> Path:
    """A board of three synthetic scenes of 64 px in ``home/leaderboards/tiny``, its targets' fingerprints written."""
    known = {"count": 3, "ids": None, "data": DATA, "protocol": "bokehme", "columns": COLUMNS}
    folder = make_board(home, **{**known, **settings})
    if pinned:
        assert main(["leaderboard", "pin", str(folder)]) == 0
    return folder


def fit(name: str, root: Path, *more: str) -> Path:
    """Fit a tiny method; its last checkpoint."""
    assert main(["fit", *words(name), f"--trainer.default_root_dir={root}", *more]) == 0
    return root / name / "version_0" / "checkpoints" / "last.ckpt"


def test_on(board: Path, output: Path, *more: str) -> Result:
    """Test with a recorder; the result as it was written."""
    recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder", f"--trainer.callbacks.board={board}",
                f"--trainer.callbacks.output={output}"]  # fmt: skip
    assert main(["test", *SCENES, f"--trainer.default_root_dir={output.parent}", *recorder, *more]) == 0
    return results.read(output)


test_on.__test__ = False  # type: ignore[attr-defined]
