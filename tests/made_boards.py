"""Boards and results for tests: ``make_board(tmp_path)``, ``make_result(method=..., shift=...)``.

A result is what a recorder wrote in a test, with other scores and pictures, since no method has just the scores that a
test of rankings needs.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bokehbench.board import results
from bokehbench.board.results import Result
from bokehbench.cli import main

PICTURES = [f"{number:04d}" for number in range(30)]
HEAD = "method,year,metric,value,unit,split,protocol,source,note,flag\n"


def make_board(parent: Path, reported: str = "", **settings: Any) -> Path:
    """A board of 30 pictures in ``parent/leaderboards/tiny``; ``reported`` = lines of the CSV."""
    folder = parent / "leaderboards" / "tiny"
    folder.mkdir(parents=True)
    content: dict[str, Any] = {
        "name": "tiny", "version": 1, "title": "Tiny", "about": "For tests.", "obtain": "Made.",
        "protocol": "bokehbench", "split": "Tiny30", "count": 30, "ids": ["0000-0029"],
        "columns": ["psnr", "ssim", "lpips"], "rank_by": "psnr",
    }  # fmt: skip
    (folder / "board.yaml").write_text(yaml.safe_dump(content | settings))
    (folder / "reported.csv").write_text(HEAD + reported)
    return folder


def make_result(method: str = "A", shift: float = 0.0, names: list[str] | None = None, **fields: Any) -> Result:
    """Scores that vary a lot between pictures; ``shift`` dB apart on every picture, give or take 0.2."""
    names = PICTURES if names is None else names
    pictures = np.random.default_rng(1).normal(25, 4, len(PICTURES))
    jitter = np.random.default_rng(len(method) + sum(map(ord, method))).normal(0, 0.2, len(PICTURES))
    psnr = dict(zip(PICTURES, pictures + jitter + shift, strict=True))
    scores = {name: {"psnr": float(psnr[name]), "ssim": float(psnr[name]) / 30} for name in names}
    known: dict[str, Any] = {
        "method": method, "per_image": scores, "split": "Tiny30", "target_hash": "t", "prediction_hash": "p",
        "missing": {"lpips": "weights not available"}, "flags": (), "inference": {}, "seconds_per_image": None,
    }  # fmt: skip
    return replace(recorded(), **(known | fields))


@lru_cache
def recorded() -> Result:
    """The result of a test of three scenes on a board like :func:`make_board`'s, by a method without weights."""
    with tempfile.TemporaryDirectory() as home:
        data = {"name": "syntheticdof", "arguments": {"size": 64, "test_samples": 3, "aperture": 8}}
        board = make_board(Path(home), count=3, ids=None, data=data)
        recorder = ["--trainer.callbacks+=bokehbench.benchmark.recorder.ResultRecorder",
                    f"--trainer.callbacks.board={board}", f"--trainer.callbacks.output={home}/result.json"]  # fmt: skip
        scenes = ["--data.size=64", "--data.aperture=8", "--data.test_samples=3", "--data.num_workers=0"]
        run = ["--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false", f"--trainer.default_root_dir={home}"]
        assert main(["test", "--model", "identity", *scenes, *run, *recorder]) == 0
        return results.read(Path(home) / "result.json")
