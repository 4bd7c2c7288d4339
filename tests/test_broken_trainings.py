"""What goes wrong during a training: a sentence that names stage, step or picture; the last good checkpoint stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers import make_pairs
from methods import SMALL, TRAINABLE, stage_names, words
from refusing import refused

from bokehbench.checkpoints import read_checkpoint
from bokehbench.models.weights import not_finite

OFTEN = ["--trainer.callbacks=bokehbench.callbacks.StageCheckpoints", "--trainer.callbacks.every_n_steps=1"]


def kept(method: str, steps: int) -> None:
    """Whether the newest checkpoint is that of ``steps`` steps, and good."""
    content = read_checkpoint(Path("runs", method, "version_0", "checkpoints", "last.ckpt"))
    assert content["global_step"] == steps
    assert not not_finite(content["state_dict"])


@pytest.mark.parametrize("what", ["image", ""])
@pytest.mark.parametrize("method", TRAINABLE)
def test_nan_in_a_picture_or_a_weight_ends_a_fit(method, what, tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    stage = stage_names(method)[0]
    nan = ["--trainer.callbacks+=kill_at.NaNAt", "--trainer.callbacks.step=1"]
    nan += [f"--trainer.callbacks.key={what}"] if what else []
    said = refused(["fit", *words(method, steps=3), f"--model.stages=[{stage}]", *OFTEN, *nan], capfd)
    assert f"{stage}, step 1" in said
    assert "last.ckpt" in said
    assert ("'image' of" in said) == bool(what)
    kept(method, 1)


def test_a_picture_that_breaks_after_the_check_is_named(tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    root = make_pairs(tmp_path / "pairs", size=(64, 64), disparity=True)
    method = "pix2pix"
    data = ["--data", "pairs", f"--data.root={root}", "--data.num_workers=0", "--data.val_fraction=0.34"]
    data += ["--data.disparity=disparity", "--data.focus=0.5", "--data.aperture_at_1024=20"]
    own = [f"--model.{key}={value}" for key, value in SMALL[method].items()]
    recipe = {"steps": 9, "batch_size": 1, "height": 32, "width": 32}
    own += [f"--model.translation.{key}={value}" for key, value in recipe.items()]
    breaks = ["--trainer.callbacks+=kill_at.BreakAt", "--trainer.callbacks.step=1"]
    breaks += [f"--trainer.callbacks.folder={root}"]
    command = ["fit", "--model", method, *data, *own, *OFTEN, *breaks, "--trainer.accelerator=cpu"]
    said = refused(command, capfd)
    assert ".png" in said
    content = read_checkpoint(Path("runs", method, "version_0", "checkpoints", "last.ckpt"))
    assert content["global_step"] >= 1


def test_a_loader_that_is_killed_is_a_sentence(tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    kills = ["--trainer.callbacks+=kill_at.KillLoaderAt", "--trainer.callbacks.step=1"]
    command = [word for word in words("pix2pix", steps=500) if "num_workers" not in word]
    said = refused(["fit", *command, *OFTEN, *kills, "--data.num_workers=1"], capfd)
    assert "--data.num_workers" in said
    assert read_checkpoint(Path("runs", "pix2pix", "version_0", "checkpoints", "last.ckpt"))["global_step"] >= 1


@pytest.mark.parametrize("kind", ["python", "torch", "cuda", "system"])
def test_an_end_of_memory_is_a_sentence_with_what_to_do(kind, tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    ends = ["--trainer.callbacks+=kill_at.OutOfMemoryAt", f"--trainer.callbacks.kind={kind}"]
    said = refused(["fit", *words("pix2pix", steps=3), *OFTEN, *ends, "--trainer.callbacks.step=1"], capfd)
    assert "not enough memory" in said
    assert "batch_size" in said
    kept("pix2pix", 1)
    assert "not enough memory" in refused(["test", "--untrained", *words("pix2pix"), *ends], capfd)
