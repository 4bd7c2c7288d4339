"""Every method through the command line: fit, resume, test, predict, render."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pandas as pd
import pytest
import torch
from forked import start, two_ranks
from makers import picture, ramp, save
from methods import TRAINABLE, stage_names, words
from PIL import Image

from bokehbench.checkpoints import read_checkpoint
from bokehbench.cli import main
from bokehbench.provenance import Provenance


@pytest.fixture(scope="module", params=TRAINABLE)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A finished fit of a method: its name, its folder, what it printed."""
    folder = tmp_path_factory.mktemp(request.param)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with pytest.MonkeyPatch.context() as patch:
            lines: list[str] = []
            patch.setattr("builtins.print", lambda *args, **kwargs: lines.append(" ".join(map(str, args))))
            assert main(["fit", *words(request.param)]) == 0
        yield request.param, folder / "runs" / request.param / "version_0", "\n".join(lines)
    finally:
        os.chdir(before)


def test_fit_ends_with_scores_picture_checkpoint_and_next_command(run) -> None:
    name, folder, printed = run
    assert "identity" in printed
    assert "identity, the input as it is" in printed
    assert f"bokehbench render PHOTO --model {name}" in printed
    assert (folder / "comparison.png").stat().st_size > 1000
    for file in ("last.ckpt", *(f"{stage}.ckpt" for stage in stage_names(name))):
        assert (folder / "checkpoints" / file).is_file()


def test_the_next_command_that_fit_prints_runs(run, tmp_path: Path, monkeypatch) -> None:
    _, folder, printed = run
    (line,) = (line for line in printed.splitlines() if line.startswith("Next: bokehbench render "))
    files = {
        "PHOTO": save(tmp_path / "photo.png", picture(1, (64, 80))),
        "MAP": save(tmp_path / "map.png", ramp((64, 80))),
    }
    files["OUT.png"] = tmp_path / "out.png"
    monkeypatch.chdir(folder.parents[2])
    assert main([str(files.get(word, word)) for word in shlex.split(line)[2:]]) == 0
    assert Image.open(files["OUT.png"]).size == (80, 64)


def test_checkpoint_knows_its_stage_and_loads_without_running_code(run) -> None:
    name, folder, _ = run
    for stage in stage_names(name):
        content = torch.load(folder / "checkpoints" / f"{stage}.ckpt", weights_only=True)
        assert content["bokehbench"]["stage"] == stage
        assert content["bokehbench"]["model"].lower() == name


def test_test_writes_one_row_per_picture(run, capsys, monkeypatch) -> None:
    name, folder, _ = run
    monkeypatch.chdir(folder)
    small = [word for word in words(name) if not word.startswith("--model.")]
    assert main(["test", *small, "--checkpoint", "checkpoints/last.ckpt"]) == 0
    printed = capsys.readouterr().out
    table = pd.read_csv(folder / "runs" / name / "version_0" / "test.csv")
    assert list(table["name"]) == sorted(table["name"])
    assert len(table) == 3
    assert f"{table['psnr'].mean():.3f}" in printed
    assert f"{table['identity_psnr'].mean():.3f}" in printed


def test_render_keeps_size_and_says_what_it_used(run, capsys, tmp_path) -> None:
    name, folder, _ = run
    photo = save(tmp_path / "a photo.jpg", picture(1, (70, 93)))
    disparity = save(tmp_path / "disparity.png", ramp((70, 93)))
    out = tmp_path / "out.png"
    checkpoint = str(folder / "checkpoints" / "last.ckpt")
    command = ["render", str(photo), "--model", name, "--checkpoint", checkpoint, "--disparity", str(disparity)]
    assert main([*command, "-o", str(out)]) == 0
    assert Image.open(out).size == (93, 70)
    assert "93 x 70" in capsys.readouterr().out


def test_a_checkpoint_of_another_method_is_refused(run, capsys, tmp_path) -> None:
    name, folder, _ = run
    content = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    content["bokehbench"]["model"] = "SomethingElse"
    torch.save(content, tmp_path / "other.ckpt")
    assert main(["test", "--model", name, "--ckpt_path", str(tmp_path / "other.ckpt")]) == 2
    assert "SomethingElse" in capsys.readouterr().err


def last_state(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_killed_fit_resumes_to_the_same_weights(name, tmp_path, monkeypatch, capfd) -> None:
    """SIGKILL in the middle of the last stage, then the same command with the checkpoint."""
    steps = 4  # of each stage
    monkeypatch.chdir(tmp_path)
    often = "--trainer.callbacks=bokehbench.callbacks.StageCheckpoints"
    command = ["fit", *words(name, steps), often, "--trainer.callbacks.every_n_steps=1"]
    assert main(command) == 0
    whole = last_state(tmp_path / "runs" / name / "version_0")

    stages = stage_names(name)
    kill = ["--trainer.callbacks+=kill_at.KillAt", f"--trainer.callbacks.step={steps * (len(stages) - 1) + 2}"]
    killed = start([*command, *kill], tmp_path, tmp_path / "killed.txt")
    assert killed.wait(240) == -signal.SIGKILL
    last = tmp_path / "runs" / name / "version_1" / "checkpoints" / "last.ckpt"
    content = torch.load(last, weights_only=True)
    assert content["bokehbench"]["stage"] == stages[-1]
    assert content["global_step"] < steps * len(stages), "it was killed too late to show anything"

    capfd.readouterr()
    assert main([*command, "--ckpt_path", str(last), "--trainer.enable_progress_bar=true"]) == 0
    assert f"{stages[-1]} (stage {len(stages)} of {len(stages)}" in "".join(capfd.readouterr())
    resumed = last_state(tmp_path / "runs" / name / "version_2")
    assert whole.keys() == resumed.keys()
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key
    end_of_run = tmp_path / "runs" / name / "version_2" / "checkpoints" / "last.ckpt"
    before, after = (Provenance.of_checkpoint(read_checkpoint(path), str(path)) for path in (last, end_of_run))
    assert after.seconds > before.seconds > 0, "a resumed run counts on"
    assert "CPU" in after.device
    assert before.stages[stages[-1]]["steps_done"] < steps
    assert [stage["steps_done"] for stage in after.stages.values()] == [steps] * len(stages)
    assert not after.origins, "a resumed run is one run"


@pytest.mark.parametrize("name", TRAINABLE)
def test_two_processes_finish_the_schedule_and_score_each_picture_once(name, tmp_path) -> None:
    for verb, more in (("fit", ()), ("test", ("--untrained",))):
        two_ranks([verb, *words(name), "--trainer.devices=2", "--trainer.strategy=ddp", *more], tmp_path)
    found = list((tmp_path / "runs" / name).glob("*/test.csv"))
    assert len(found) == 1
    assert pd.read_csv(found[0])["name"].is_unique
    assert len(pd.read_csv(found[0])) == 3
