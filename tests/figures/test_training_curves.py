"""Training curves: stages, scores, resumed runs, and which fit of an experiment is drawn."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path

import pytest

from bokehbench.figures import style, training_curves


def log(path: Path, rows: list[dict[str, float]]) -> Path:
    """A ``metrics.csv`` as CSVLogger writes it: all columns in every line, empty where there is nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({key for row in rows for key in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def two_stages(first: int = 0, last: int = 80) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    for step in range(first, last, 2):
        late = step >= 40
        rows.append({"epoch": int(late), "step": step, f"{'rendering' if late else 'depth'}/loss": 1 / (1 + step % 40)})
        if step % 20 == 18:
            scores = {"val/psnr": 20 + step / 10, "val/identity_psnr": 22} if late else {"val/depth_mae": 1 / step}
            rows.append({"epoch": int(late), "step": step, **scores})
    return rows


def test_stages_scores_and_what_a_resumed_run_lost(tmp_path: Path) -> None:
    killed = log(tmp_path / "version_0" / "metrics.csv", two_stages(0, 70))
    resumed = log(tmp_path / "version_1" / "metrics.csv", two_stages(60, 80))
    run = training_curves.read_run("net", [killed, resumed])
    whole = training_curves.read_run("net", [log(tmp_path / "whole.csv", two_stages())])
    assert run == whole
    depth, rendering = run.stages
    assert (depth.name, depth.score, rendering.score) == ("depth", "depth_mae", "psnr")
    assert depth.scores == ((18, pytest.approx(1 / 18)), (38, pytest.approx(1 / 38)))
    assert rendering.scores == ((58, pytest.approx(25.8)), (78, pytest.approx(27.8)))
    assert math.isnan(depth.identity)
    assert rendering.identity == 22
    assert rendering.losses[0] == (40, 1.0)


def test_last_fit_of_an_experiment_counts(tmp_path: Path) -> None:
    old = log(tmp_path / "net" / "fit-b" / "net" / "version_0" / "metrics.csv", two_stages())
    os.utime(old, (1, 1))
    versions = [log(tmp_path / "net" / "fit-a" / "net" / f"version_{n}" / "metrics.csv", two_stages()) for n in (9, 10)]
    log(tmp_path / "net" / "test-a" / "net" / "version_0" / "metrics.csv", two_stages())
    shared = log(tmp_path / "d2f-1234" / "d2f" / "version_0" / "metrics.csv", two_stages())
    (tmp_path / "d2f-1234" / "fit.log").touch()
    assert training_curves.find_runs(tmp_path) == {"net": versions, "d2f-1234": [shared]}


def test_many_trainings_fill_several_files(tmp_path: Path) -> None:
    run = training_curves.read_run("net", [log(tmp_path / "metrics.csv", two_stages())])
    written = training_curves.draw_all([run] * (training_curves.MOST_RUNS + 1), tmp_path / "t.png")
    assert [path.name for path in written] == ["t.png", "t-2.png"]


def test_a_log_without_losses_is_no_training(tmp_path: Path) -> None:
    path = log(tmp_path / "metrics.csv", [{"step": 0, "test/psnr": 20.0}])
    with pytest.raises(style.NothingToDraw, match="no logged loss"):
        training_curves.read_run("test", [path])


def test_running_mean_keeps_a_line_and_the_number_of_points() -> None:
    assert training_curves.smoothed([2.0] * 50) == pytest.approx([2.0] * 50)
    line = [float(n) for n in range(50)]
    assert training_curves.smoothed(line)[5:-5] == pytest.approx(line[5:-5])
    assert training_curves.smoothed([1.0, 3.0]) == [1.0, 3.0]
