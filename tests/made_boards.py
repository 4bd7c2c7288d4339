"""Boards and results for tests: ``make_board(tmp_path)``, ``make_result(method=..., shift=...)``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bokehbench.board.results import Result
from bokehbench.metrics.protocols import find_protocol
from bokehbench.provenance import NO_WEIGHTS

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
        "board": "tiny", "board_version": 1, "method": method, "per_image": scores, "weights_hash": NO_WEIGHTS,
        "protocol": find_protocol("bokehbench").describe(), "split": "Tiny30", "target_hash": "t",
        "prediction_hash": "p", "missing": {"lpips": "weights not available"},
    }  # fmt: skip
    return Result(**(known | fields))
