"""DeepLens' joint stage: asked for by name, from trained parts, depth learned through the rendering."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from methods import stage_names, tiny, words
from pytorch_lightning.callbacks import Callback
from test_deeplens_method import batch, whole_scenes

from bokehbench.checkpoints import read_checkpoint
from bokehbench.cli import main
from bokehbench.models.deeplens import DeepLens
from bokehbench.models.stages import StageRecipe
from bokehbench.optics import minmax, signed_defocus
from bokehbench.provenance import Provenance

RECIPE = StageRecipe(steps=2, batch_size=2, learning_rate=1e-3, view="resize", height=64, width=64)
JOINT = ["--model.stages=[joint]", "--model.joint.steps=4", "--model.joint.batch_size=2"]
JOINT += ["--model.joint.height=64", "--model.joint.width=64", "--model.rendering_crop=32"]


class KeepTheMiddle(Callback):
    """Keeps the checkpoint that a run killed in its third step would leave."""

    def on_train_batch_end(self, trainer, *args) -> None:
        if trainer.global_step == 3:
            (last,) = Path(trainer.default_root_dir).glob("**/last.ckpt")
            shutil.copy(last, last.with_name("middle.ckpt"))


def joint(**options: object) -> DeepLens:
    torch.manual_seed(0)
    model = tiny("deeplens", stages=["joint"], joint=RECIPE, **options)
    assert isinstance(model, DeepLens)
    model.begin_stage(model.stages[0])
    return model


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The checkpoint of both stages that are trained by default, and what was printed."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *args, **kwargs: lines.append(" ".join(map(str, args))))
        assert main(["fit", *words("deeplens", steps=1), f"--trainer.default_root_dir={folder}"]) == 0
    (checkpoint,) = folder.glob("**/rendering.ckpt")
    return checkpoint, "\n".join(lines)


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(path)["state_dict"]


def test_it_is_no_stage_unless_asked_for(trained) -> None:
    assert stage_names("deeplens") == ["depth", "rendering"]
    assert [stage.name for stage in tiny("deeplens").available] == ["depth", "rendering", "joint"]
    assert "joint" not in trained[1]
    assert "Next: bokehbench render PHOTO" in trained[1]


def test_the_rendering_teaches_all_networks() -> None:
    """With no weight on the depth terms, depth is learned from the picture alone."""
    model = joint(joint_depth_weight=0.0)
    sum(model.losses(model.stages[0], batch()).values()).backward()
    for name in ("depth.body", "depth.head", "kernel_network", "feature_network", "upsampling_network"):
        gradients = [p.grad for p in model.net.get_submodule(name).parameters()]
        assert sum(float(g.abs().sum()) for g in gradients) > 0, name
    assert all((p.grad is not None) == p.requires_grad for p in model.parameters())
    assert not any(p.requires_grad for p in model.net.depth.segmentation.parameters())


def test_the_true_disparity_teaches_depth_where_there_is_one() -> None:
    given = batch()
    plain, doubled = (joint(joint_depth_weight=weight) for weight in (1.0, 2.0))
    terms = plain.eval().losses(plain.stages[0], given)
    predicted = plain.net.predict_disparity(given["image"])
    assert terms["disparity"].item() == pytest.approx(
        (predicted - given["true_disparity"]).abs().mean().item(), rel=1e-4
    )
    twice = doubled.eval().losses(doubled.stages[0], given)["disparity"].item()
    assert twice == pytest.approx(2 * terms["disparity"].item())
    del given["disparity"], given["true_disparity"]
    without = plain.losses(plain.stages[0], given)
    assert without["disparity"].item() == 0
    assert without["high"].item() > 0


def test_perfect_depth_is_rendered_with_as_the_true_disparity_is(monkeypatch) -> None:
    given = whole_scenes(24)
    model = joint(rendering_crop=64)
    monkeypatch.setattr(model.net, "predict_disparity", lambda image: minmax(given["true_disparity"]))
    disparity, focus = model.disparity_and_focus(model.stages[0], given)
    signed = signed_defocus(disparity, focus, given["aperture"])
    ideal = signed_defocus(given["true_disparity"], given["focus"], given["aperture"])
    assert float((signed - ideal).abs().max() / given["aperture"].max()) < 0.005
    assert float(model.losses(model.stages[0], given)["disparity"]) < 1e-6


def test_it_starts_from_trained_parts_on_whole_pictures(trained, tmp_path: Path, capsys) -> None:
    command = ["fit", *words("deeplens", steps=1), *JOINT, f"--trainer.default_root_dir={tmp_path}"]
    assert main(command) == 2
    assert "'depth' was not trained: give a checkpoint of both with --model.weights" in capsys.readouterr().err
    depth = trained[0].with_name("depth.ckpt")
    assert main([*command, f"--model.weights={depth}"]) == 2
    assert "'rendering' was not trained" in capsys.readouterr().err
    assert main([*command, f"--model.weights={trained[0]}", "--model.joint.view=crop"]) == 2
    error = capsys.readouterr().err
    assert "--model.joint.view crop" in error
    assert "give --model.joint.view resize" in error


def test_it_follows_the_others_in_one_run(tmp_path: Path) -> None:
    stages = "--model.stages=[depth, rendering, joint]"
    command = ["fit", *words("deeplens", steps=1), *JOINT, stages, f"--trainer.default_root_dir={tmp_path}"]
    assert main(command) == 0
    assert sorted(path.stem for path in tmp_path.glob("**/*.ckpt") if "-best" not in path.stem) == [
        "depth", "joint", "last", "rendering",
    ]  # fmt: skip


def test_it_moves_all_networks_and_resumes_to_the_same_weights(trained, tmp_path: Path) -> None:
    often = ["--trainer.callbacks=bokehbench.callbacks.StageCheckpoints", "--trainer.callbacks.every_n_steps=1"]
    command = ["fit", *words("deeplens", steps=1), *JOINT, *often, f"--model.weights={trained[0]}"]
    keep = [f"--trainer.callbacks+={__name__}.KeepTheMiddle", f"--trainer.default_root_dir={tmp_path / 'whole'}"]
    assert main([*command, *keep]) == 0
    (kept,) = (tmp_path / "whole").glob("**/middle.ckpt")
    assert 2 <= read_checkpoint(kept)["global_step"] < 4
    assert main([*command, f"--checkpoint={kept}", f"--trainer.default_root_dir={tmp_path / 'rest'}"]) == 0
    whole, rest = (next((tmp_path / name).glob("**/joint.ckpt")) for name in ("whole", "rest"))
    before, after = weights_of(trained[0]), weights_of(whole)
    for part in ("depth.body", "depth.head", "kernel_network", "feature_network", "upsampling_network"):
        assert any(not torch.equal(before[key], after[key]) for key in before if key.startswith(f"net.{part}.")), part
    segmentation = [key for key in before if ".segmentation." in key]
    assert segmentation
    assert all(torch.equal(before[key], after[key]) for key in segmentation)
    assert all(torch.equal(value, after[key]) for key, value in weights_of(rest).items())
    record = Provenance.of_checkpoint(read_checkpoint(rest), str(rest))
    assert record.stages["joint"]["steps_done"] == 4
    assert record.trained("depth")
