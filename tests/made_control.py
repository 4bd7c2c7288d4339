"""A board of control of one small scene, and tests on it: ``from made_control import control_test``."""

from __future__ import annotations

from pathlib import Path

import yaml
from made_boards import make_board

from bokehbench.board import boards, results
from bokehbench.board.results import Result
from bokehbench.cli import main

SIZE = 160
#: Rows of a result: sweeps, charts, lamps.
COUNT = 2 + 20 + 1


def make_control_board(parent: Path) -> Path:
    """The columns of synthetic-control, one scene of :data:`SIZE` px."""
    ours = yaml.safe_load((boards.find("synthetic-control") / "board.yaml").read_text())
    data = {"name": "control", "arguments": {"size": SIZE, "scenes": 1, "scene_seed": 0}}
    settings = {key: ours[key] for key in ("columns", "rank_by", "scenes")}
    return make_board(parent, count=COUNT, ids=None, data=data, **settings)


def control_test(board: Path, folder: Path, model: str, *more: str) -> Result:
    """What ``test --control`` writes to ``folder``."""
    words = ["test", "--model", model, "--control", "--data.scenes=1", f"--data.size={SIZE}", "--data.num_workers=0",
             "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false", "--trainer.logger=false",
             f"--trainer.default_root_dir={folder}"]  # fmt: skip
    words += [f"--trainer.callbacks.output={folder / 'result.json'}"]
    assert main([*words, f"--trainer.callbacks.board={board}", *more]) == 0
    return results.read(folder / "result.json")
