"""``bokehbench sweep``: a table in the end, failures are rows, a kill loses only the trial that ran."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
import yaml
from methods import words

from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.sweep.local_sweep import local
from bokehbench.sweep.trials import Row, best, last_value, write

METHOD = "deeplens"
STAGE = "rendering"


def sweep(folder: Path, parameters: dict[str, object], steps: int = 1, method: str = "grid") -> list[str]:
    """Write a sweep; returns the command that runs it."""
    content = {
        "method": method, "metric": {"name": "val/psnr", "goal": "maximize"}, "parameters": parameters,
        "command": ["bokehbench", "fit", f"--model={METHOD}", "--trainer.logger=WandbLogger", "${args}"],
    }  # fmt: skip
    (folder / "mine.yaml").write_text(yaml.safe_dump(content))
    swept = {f"--{name}" for name in parameters}
    small = [word for word in words(METHOD, steps)[2:] if word.partition("=")[0] not in swept]
    small = [word for word in small if not word.startswith("--model.depth.")]
    return ["sweep", "mine.yaml", *small, f"--model.stages=[{STAGE}]"]


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs" / "sweeps" / "mine" / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_grid_ends_with_a_table_and_a_failed_trial_is_a_row(tmp_path, monkeypatch, capsys, forked_steps) -> None:
    monkeypatch.chdir(tmp_path)
    view = f"model.{STAGE}.view"
    command = sweep(tmp_path, {view: {"values": ["nonsense", "crop"]}, "seed_everything": {"value": 1}})
    assert main(command) == 0
    printed = capsys.readouterr().out
    rows = table(tmp_path)
    assert [row[view] for row in rows] == ["nonsense", "crop"]
    assert rows[0]["failed"]
    assert not rows[0]["val/psnr"]
    assert float(rows[1]["val/psnr"]) > 1
    assert "1 of 2 trials failed" in printed
    assert f"bokehbench test --checkpoint {rows[1]['checkpoint']}" in printed
    assert Path(rows[1]["checkpoint"]).is_file()
    markdown = (tmp_path / "runs" / "sweeps" / "mine" / "trials.md").read_text().splitlines()
    assert markdown[2].startswith("| **1** | **")
    config = yaml.safe_load(next(tmp_path.glob("runs/sweeps/mine/trial-0001/*/*/config.yaml")).read_text())
    assert config["seed_everything"] == 1
    assert not list(tmp_path.rglob("wandb"))

    assert main(command) == 0
    assert len(table(tmp_path)) == 2, "the grid was done"

    assert main([*command, "--data.size=32"]) == 2
    assert "give --folder or --storage" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="a killed sweep's trial ends with it on Linux only")
def test_a_killed_sweep_goes_on_with_the_trial_that_it_was_in(tmp_path, monkeypatch, forked_steps) -> None:
    monkeypatch.chdir(tmp_path)
    rate = f"model.{STAGE}.learning_rate"
    bounds = {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-3}
    command = [*sweep(tmp_path, {rate: bounds}, method="bayes"), "--trials", "2", "--storage", "here.db"]
    process = subprocess.Popen([sys.executable, "-m", "bokehbench", *command], stderr=subprocess.DEVNULL)
    folder = tmp_path / "runs" / "sweeps" / "mine"
    end = time.monotonic() + 300
    while not (folder / "trial-0001" / "fit.log").is_file():
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first, when = table(tmp_path), (folder / "trial-0000" / "fit.log").stat().st_mtime_ns
    assert len(first) == 1

    study = optuna.load_study(study_name="mine", storage=f"sqlite:///{tmp_path / 'here.db'}")
    (interrupted,) = study.get_trials(states=(optuna.trial.TrialState.RUNNING,))
    assert main(command) == 0
    rows = table(tmp_path)
    assert rows[0] == first[0]
    assert (folder / "trial-0000" / "fit.log").stat().st_mtime_ns == when
    assert [row["trial"] for row in rows] == ["0", "2"]
    assert float(rows[1][rate]) == interrupted.params[rate], "the same values again"
    assert study.trials[1].state == optuna.trial.TrialState.FAIL


def test_the_last_value_counts_and_must_be_finite(tmp_path) -> None:
    path = tmp_path / "deeplens" / "version_0" / "metrics.csv"
    path.parent.mkdir(parents=True)
    path.write_text("step,val/psnr,val/ssim\n1,20.5,\n2,,0.5\n3,21.5,\n")
    assert last_value(tmp_path, "val/psnr") == 21.5
    with pytest.raises(BokehbenchError, match="logged no 'val/psnt'; did you mean 'val/psnr'"):
        last_value(tmp_path, "val/psnt")
    path.write_text("step,val/psnr\n1,20.5\n2,nan\n")
    with pytest.raises(BokehbenchError, match="val/psnr is nan"):
        last_value(tmp_path, "val/psnr")


def test_the_best_follows_the_goal(tmp_path) -> None:
    rows = [Row(0, {"a": 1}, 3.0, 1.0), Row(1, {"a": 2}, None, 1.0, "a | b"), Row(2, {"a": 3}, 2.0, 1.0)]
    assert best(rows, "maximize") == rows[0]
    assert best(rows, "minimize") == rows[2]
    assert best(rows[1:2], "minimize") is None
    write(tmp_path, rows, "loss", "minimize")
    body = (tmp_path / "trials.md").read_text().splitlines()[2:]
    assert [line.split(" | ")[0] for line in body] == ["| **2**", "| 0", "| 1"]
    assert "a \\| b" in body[2]


def test_loggers_are_left_to_the_local_sweep(capsys) -> None:
    given = ["fit", "--trainer.logger", "WandbLogger", "--trainer.logger.mode=offline", "--model.loss=l1"]
    assert local(given) == ["fit", "--model.loss=l1"]
    assert main(["sweep", METHOD, "--trainer.logger=WandbLogger"]) == 2
    assert "wandb agent" in capsys.readouterr().err
    assert main(["sweep", METHOD, "--learning_rate", "1"]) == 2
