"""Weights & Biases and the other loggers: what a run leaves, where, and that nothing is left where none is wanted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wandb
import yaml
from methods import stage_names, words
from offline_run import read_run
from PIL import Image
from pytorch_lightning.loggers import WandbLogger

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.commands.loggers import ready

METHOD = "deeplens"
OFTEN = "--trainer.log_every_n_steps=2"
OFFLINE = ["--trainer.logger=WandbLogger", "--trainer.logger.mode=offline"]


@pytest.fixture(autouse=True)
def forget():
    """W&B reads its environment once in a process."""
    yield
    wandb.teardown()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory):
    """A fit and a test with W&B offline, from a working folder of their own: that folder, and the two runs."""
    folder = tmp_path_factory.mktemp("wandb")
    wandb.teardown()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("WANDB_MODE", raising=False)
        patch.setenv("WANDB_SILENT", "true")
        root = f"--trainer.default_root_dir={folder / 'elsewhere'}"
        assert main(["fit", *words(METHOD, steps=4), *OFFLINE, OFTEN, root, "--trainer.val_check_interval=2"]) == 0
        checkpoint = folder / "elsewhere" / METHOD / "version_0" / "checkpoints" / "last.ckpt"
        board = folder / "tiny"
        board.mkdir()
        content = {
            "name": "tiny", "version": 1, "title": "Tiny", "about": "for tests", "obtain": "made", "split": "test",
            "protocol": "bokehme", "count": 3, "columns": ["psnr", "ssim"], "rank_by": "psnr",
        }  # fmt: skip
        (board / "board.yaml").write_text(yaml.safe_dump(content))
        small = [word for word in words(METHOD) if not word.startswith("--model.")]
        recorder = "--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder"
        options = [recorder, f"--trainer.callbacks.board={board}", root, *OFFLINE]
        assert main(["test", *small, "--ckpt_path", str(checkpoint), *options]) == 0
    place = folder / "elsewhere" / METHOD
    return folder, read_run(place / "version_0"), read_run(place / "version_1")


def series(run: dict, key: str) -> list[tuple[float, float]]:
    return [(row["trainer/global_step"], row[key]) for row in run["rows"] if key in row]


def test_everything_is_below_the_root_and_nothing_in_the_working_folder(runs) -> None:
    folder, *_ = runs
    assert sorted(path.name for path in folder.iterdir()) == ["elsewhere", "tiny"]
    place = folder / "elsewhere" / METHOD / "version_0"
    for name in ("config.yaml", "comparison.png", "checkpoints/last.ckpt", "wandb"):
        assert (place / name).exists(), name


def test_a_fit_has_losses_scores_rate_norm_and_speed_at_the_right_steps(runs) -> None:
    _, fit, _ = runs
    assert fit["run"].project == "bokehbench"
    assert fit["run"].job_type == "fit"
    assert fit["exit"] == 0
    for key in ("gradient_norm", "lr-Adam/pg1"):
        steps = [step for step, value in series(fit, key) if value > 0]
        assert steps == [1, 3, 5, 7], key
    assert [step for step, _ in series(fit, "seconds_per_step")]
    speeds = series(fit, "images_per_second")
    assert all(0 < value < 1e4 for _, value in speeds)
    for stage in stage_names(METHOD):
        assert len(series(fit, f"{stage}/loss")) == 2, stage
    assert len(series(fit, "val/psnr")) == 2, "rendering was validated twice"
    assert series(fit, "rendering/val_psnr")[-1] == (8, series(fit, "val/psnr")[-1][1])
    assert not series(fit, "rendering/val_depth_mae"), "depth's score is depth's"
    assert series(fit, "depth/val_depth_mae")


def test_the_same_pictures_are_shown_at_each_validation(runs) -> None:
    _, fit, _ = runs
    shown = [(row["trainer/global_step"], key, row[key]) for row in fit["rows"] for key in row if "panels/" in key]
    names = {f"panels/synthetic-val-{number:06d}" for number in range(2)}
    assert {(step, key) for step, key, _ in shown} == {(step, key) for step in (2, 4, 6, 8) for key in names}
    captions = {step: panel["captions"] for step, _, panel in shown}
    assert captions[2] == ["input", "own disparity (bright = near)", "true disparity", "error"]
    assert captions[8] == ["input", "disparity (bright = near)", "output", "target", "error"]
    first, last = (next(panel for step, key, panel in shown if step == at and "000001" in key) for at in (6, 8))
    files = [[fit["folder"] / name for name in panel["filenames"]] for panel in (first, last)]
    pictures = [[np.asarray(Image.open(path)).astype(int) for path in row] for row in files]
    assert np.array_equal(pictures[0][0], pictures[1][0]), "the same input"
    assert not np.array_equal(pictures[0][2], pictures[1][2]), "another output after two steps"
    _, _, output, target, error = pictures[1]
    assert error.shape == output.shape == (64, 64, 3)
    difference = abs(output - target).mean(-1)
    brightness = error.sum(-1)
    worst, best = difference > np.quantile(difference, 0.9), difference < np.quantile(difference, 0.1)
    assert brightness[worst].mean() > brightness[best].mean()


def test_the_settings_are_uploaded(runs) -> None:
    folder, fit, test = runs
    assert fit["config"]["model"]["init_args"]["channels"] == 8
    assert fit["config"]["data"]["class_path"].endswith("SyntheticDoF")
    for run, version in ((fit, "version_0"), (test, "version_1")):
        own = (folder / "elsewhere" / METHOD / version / "config.yaml").read_text()
        assert (run["folder"] / "bokehbench" / "config.yaml").read_text() == own


def test_a_test_has_the_table_and_the_result(runs) -> None:
    folder, _, test = runs
    place = folder / "elsewhere" / METHOD / "version_1"
    assert test["run"].job_type == "test"
    table = json.loads((test["folder"] / test["summary"]["test/pictures"]["path"]).read_text())
    own = pd.read_csv(place / "test.csv")
    assert table["columns"] == list(own.columns)
    assert [row[0] for row in table["data"]] == list(own["name"])
    assert np.allclose([row[1] for row in table["data"]], own[own.columns[1]])
    path = test["artifacts"]["result"]["result.json"]
    assert path.resolve() == place / "result.json"
    assert len(results.read(path).per_image) == 3
    assert test["summary"]["test/psnr"] == pytest.approx(own["psnr"].mean(), abs=1e-4)


def test_a_probe_of_control_has_its_curves_at_its_steps(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    probe = ["--trainer.callbacks+=bokehbench.callbacks.ControlProbe", "--trainer.callbacks.every_n_steps=2",
             "--trainer.callbacks.scenes=1", "--trainer.callbacks.size=96"]  # fmt: skip
    assert main(["fit", *words("bokehme", steps=4), *probe, "--trainer.logger=WandbLogger", OFTEN]) == 0
    run = read_run(tmp_path / "runs" / "bokehme" / "version_0")
    for name in ("slope", "rank", "responds", "zero_psnr", "lvcorr"):
        found = series(run, f"control/{name}")
        assert [step for step, _ in found] == [2, 4, 6, 8], name
        assert all(np.isfinite(value) for _, value in found), name


def test_disabled_leaves_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert main(["fit", *words(METHOD, steps=1), "--trainer.logger", "WandbLogger"]) == 0
    left = {path.name for path in (tmp_path / "runs" / METHOD / "version_0").rglob("*") if path.is_file()}
    assert "last.ckpt" in left
    assert not {name for name in left if "wandb" in name or "synthetic-val" in name}


def test_a_csv_has_the_same_columns_and_no_pictures_are_rendered(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *words(METHOD, steps=4), OFTEN, "--model.stages=[rendering]"]) == 0
    table = pd.read_csv(tmp_path / "runs" / METHOD / "version_0" / "metrics.csv")
    steps = {"gradient_norm": [1, 3], "rendering/loss": [1, 3], "lr-Adam/pg1": [1, 3], "images_per_second": [1, 3]}
    for column, expected in steps.items():
        known = table[table[column].notna()]
        assert known["step"].tolist() == expected, column
    assert table["val/psnr"].notna().sum() == 1


def test_csv_and_wandb_share_a_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    both = ["--trainer.logger=CSVLogger", "--trainer.logger+=WandbLogger", "--trainer.logger.offline=true"]
    assert main(["fit", *words(METHOD, steps=2), "--model.stages=[rendering]", OFTEN, *both]) == 0
    place = tmp_path / "runs" / METHOD / "version_0"
    assert {path.name for path in place.iterdir()} >= {"metrics.csv", "wandb", "checkpoints"}
    assert "gradient_norm" in read_run(place)["summary"]
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_an_agents_run_is_found_by_its_id_and_others_never_share_a_folder(tmp_path, monkeypatch) -> None:
    settings = {"init_args": {"save_dir": ".", "tags": ["mine"]}}

    def folder(**more: object) -> str:
        asked = {"init_args": {**settings["init_args"], **more}}
        (logger,) = ready(WandbLogger(), asked, tmp_path, METHOD, "fit")
        return str(Path(logger.save_dir).relative_to(tmp_path))

    assert folder() == f"{METHOD}/version_0"
    assert folder() == f"{METHOD}/version_1"
    assert folder(save_dir=str(tmp_path / "other")) == f"other/{METHOD}/version_0"
    monkeypatch.setenv("WANDB_RUN_ID", "abc123")
    assert folder() == f"{METHOD}/abc123"
    assert folder(id="mine") == f"{METHOD}/mine"


def test_a_missing_login_is_a_sentence(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    wandb.teardown()
    assert main(["fit", *words(METHOD), "--trainer.logger=WandbLogger"]) == 2
    assert "--trainer.logger.mode=offline" in capsys.readouterr().err


def test_a_missing_tensorboard_is_named(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bokehbench.commands.loggers.find_spec", lambda name: None)
    assert main(["fit", *words(METHOD), "--trainer.logger=TensorBoardLogger"]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    config = tmp_path / "mine.yaml"
    config.write_text("trainer: {logger: TensorBoardLogger}\nmodel: DeepLens\ndata: SyntheticDoF\n")
    assert main(["fit", "--config", str(config)]) == 2
    assert not list(tmp_path.glob("runs"))


def test_tensorboard_has_curves_and_pictures(tmp_path, monkeypatch) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *words(METHOD, steps=2), OFTEN, "--trainer.logger=TensorBoardLogger"]) == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    place = tmp_path / "runs" / METHOD / "version_0"
    assert (place / "checkpoints" / "last.ckpt").is_file()
    events = EventAccumulator(str(place), size_guidance={"images": 0})
    events.Reload()
    assert {"gradient_norm", "rendering/loss", "val/psnr"} <= set(events.Tags()["scalars"])
    assert "synthetic-val-000000/output" in events.Tags()["images"]


@pytest.mark.skipif(sys.platform != "linux", reason="the runner's steps end with it on Linux only")
def test_a_benchmark_passes_the_logger_on(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    data = {"name": "syntheticdof", "arguments": {"size": 64, "blur_radius": 8, "test_samples": 2, "num_workers": 0}}
    suite: dict[str, object] = {"experiments": ["identity"], "data": data, "options": {"trainer.accelerator": "cpu"}}
    Path("mine.yaml").write_text(yaml.safe_dump(suite))
    command = ["benchmark", "mine.yaml", "--folder", "work"]
    assert main([*command, "--trainer.logger=WandbLogger"]) == 0
    run = read_run(tmp_path / "work")
    assert run["run"].run_group == "mine"
    assert run["run"].display_name == "identity test"
    assert "test/psnr" in run["summary"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "work"]
    capsys.readouterr()
    assert main(command) == 0
    assert "was done before" in capsys.readouterr().out, "another logger is no other test"
