"""PyNET as a method: levels, hand-over, guard, losses, sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from makers import picture
from methods import tiny
from PIL import Image
from pytorch_lightning.callbacks import Callback

from bokehbench import experiments
from bokehbench.callbacks import StageCheckpoints
from bokehbench.cli import main
from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.losses import pynet_coarse_loss, pynet_finest_loss
from bokehbench.models.collapse import broken, collapsed
from bokehbench.models.pynet import PyNET
from bokehbench.nets.pynet.pictures import fitted, network_input, reduced
from bokehbench.perceptual import PLACES, VGGDistance, load_vgg
from bokehbench.trainer import StagedTrainer

LEVELS = [f"level_{level}" for level in range(7, 0, -1)]


def batch(size: int = 128, count: int = 2) -> dict:
    generator = torch.Generator().manual_seed(size)
    pictures = torch.rand(3 * count, 3, size // 8, size // 8, generator=generator)
    pictures = torch.nn.functional.interpolate(pictures, size=(size, size), mode="bilinear")
    image, bokeh, disparity = pictures.split(count)
    return {"image": image, "bokeh": bokeh, "disparity": disparity[:, :1], "name": ["a", "b"][:count]}


def fit(model: PyNET, folder: Path, callbacks: list[Callback] | None = None) -> StagedTrainer:
    trainer = StagedTrainer(
        default_root_dir=folder, accelerator="cpu", logger=False, enable_progress_bar=False, num_sanity_val_steps=0,
        enable_model_summary=False, callbacks=[StageCheckpoints(every_n_steps=1), *(callbacks or [])],
        limit_val_batches=1,
    )  # fmt: skip
    data = SyntheticDoF(size=64, aperture=8, val_samples=1, num_workers=0)
    trainer.fit(model, datamodule=data)
    return trainer


# Recipe --------------------------------------------------------------------------------------------------------------


def test_the_papers_schedule_is_the_default_and_that_of_the_experiment_file() -> None:
    default = {stage.name: stage.recipe for stage in tiny_default().stages}
    assert [r.steps for r in default.values()] == [5_000, 5_000, 20_000, 20_000, 30_000, 80_000, 100_000]
    assert [r.batch_size for r in default.values()] == [50, 50, 40, 14, 9, 9, 5]
    stored = experiments.configuration("pynet_ebb")["model"]["init_args"]
    for name, recipe in default.items():
        assert recipe.rate(recipe.steps - 1) * recipe.learning_rate == 5e-5
        assert {key: getattr(recipe, key) for key in stored[name]} == stored[name]


def tiny_default() -> PyNET:
    return PyNET(width=3, perceptual="none")


def test_nothing_is_frozen_and_only_what_a_level_uses_is_trained() -> None:
    model = PyNET(width=3, perceptual="none", start_anywhere=True)
    for stage in model.stages:
        model.begin_stage(stage)
        model.zero_grad()
        sum(model.losses(stage, batch()).values()).backward()
        assert all((p.grad is not None) == p.requires_grad for p in model.parameters()), stage.name


# Pictures ------------------------------------------------------------------------------------------------------------


def test_input_and_targets_are_what_pil_makes_of_8_bit_pictures() -> None:
    pixels = picture(3, (128, 192))
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255
    for factor in (2, 8):
        small = Image.fromarray(pixels).resize((192 // factor, 128 // factor), Image.Resampling.BICUBIC)
        wanted = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None] / 255
        assert (reduced(image, factor) - wanted).abs().max() <= 1.01 / 255
        assert torch.equal((reduced(image, factor) * 255).round() / 255, reduced(image, factor))
    disparity = torch.linspace(0, 1, 192).expand(1, 1, 128, 192)
    x = network_input(image, disparity)
    assert x.shape == (1, 4, 64, 96)
    torch.testing.assert_close(x[:, 3:, 0, 0], disparity[..., 0, :2].mean(-1))


@pytest.mark.parametrize(("size", "wanted"), [(64, 128), (128, 128), (200, 192), (1024, 1024)])
def test_pictures_are_fitted_to_sizes_that_the_network_takes(size, wanted) -> None:
    ramp = torch.arange(size, dtype=torch.float32).expand(1, 1, 130, size)
    result = fitted(ramp)
    assert result.shape[-1] == wanted
    assert result[..., wanted // 2].unique().item() == size // 2


def test_pairs_of_a_level_have_the_levels_size() -> None:
    model = tiny_default()
    for level in range(7, 0, -1):
        x, target = model.pair(batch(), level)
        assert x.shape[-1] == 64
        assert target.shape[-1] == 128 // 2 ** (level - 1)


# Hand-over -----------------------------------------------------------------------------------------------------------


def test_a_level_without_the_one_before_is_refused_unless_asked_for(tmp_path: Path) -> None:
    model = PyNET(width=3, perceptual="none", stages=["level_3"])
    with pytest.raises(BokehbenchError, match=r"level_4.*start_anywhere"):
        model.begin_stage(model.stages[0])
    PyNET(width=3, perceptual="none", stages=["level_3"], start_anywhere=True).begin_stage(model.stages[0])

    before = PyNET(width=3, perceptual="none", stages=["level_4"], start_anywhere=True)
    before.begin_stage(before.stages[0])
    torch.save({"state_dict": before.state_dict()}, tmp_path / "level_4.ckpt")
    after = {"width": 3, "perceptual": "none", "weights": str(tmp_path / "level_4.ckpt")}
    for name, allowed in (("level_4", True), ("level_3", True), ("level_2", False), ("level_7", True)):
        model = PyNET(stages=[name], **after)
        if allowed:
            model.begin_stage(model.stages[0])
        else:
            with pytest.raises(BokehbenchError, match="level_3"):
                model.begin_stage(model.stages[0])


def test_level_1_starts_as_level_2_enlarged_and_a_resumed_level_is_left_alone() -> None:
    torch.manual_seed(0)
    model = PyNET(width=4, perceptual="none").eval()
    for stage in model.stages[:-1]:
        model.begin_stage(stage)
    given = batch(192, 1)
    coarser = model.render(given["image"], disparity=given["disparity"]).image
    model.begin_stage(model.stages[-1])
    finest = model.render(given["image"], disparity=given["disparity"]).image
    assert (finest - coarser).abs().mean() < 0.1 * coarser.std()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.begin_stage(model.stages[-1], resumed=True)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_official_start_leaves_level_1_flat() -> None:
    model = PyNET(width=4, perceptual="none", head_init="official").eval()
    for stage in model.stages:
        model.begin_stage(stage)
    assert model.render(batch()["image"], disparity=batch()["disparity"]).image.std() < 1e-3


def test_the_published_start_is_run_as_published(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["fit", "--config", "pynet_official_start", "--print_config"])
    run = yaml.safe_load(capsys.readouterr().out)
    options = run["model"]["init_args"]
    assert run["trainer"]["precision"] == "32-true"
    assert (options["head_init"], options["margin"], options["width"]) == ("official", 0, 32)
    assert Path(options["perceptual"]).suffix == ".mat", "the original weights enter with the published weight, 0.1"
    levels = [options[f"level_{level}"] for level in range(1, 8)]
    assert all((level["warmup_steps"], level["learning_rate"], level["clip"]) == (0, 5e-5, 0) for level in levels)


def test_bfloat16_would_hide_what_a_fresh_level_1_shows() -> None:
    model = PyNET(width=4, perceptual="none", head_init="official", margin=0).eval()
    for stage in model.stages:
        model.begin_stage(stage)
    given = batch()
    shown = model.render(given["image"], disparity=given["disparity"]).image
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.render(given["image"], disparity=given["disparity"]).image
    assert len(shown.unique()) > 20
    assert len(hidden.unique()) == 1


def test_weights_of_a_coarser_level_render_at_full_size_and_say_so() -> None:
    model = PyNET(width=3, perceptual="none", start_anywhere=True)
    model.begin_stage(model.stages[2])
    given = batch()
    result = model.eval().render(given["image"], disparity=given["disparity"])
    assert result.image.shape == given["image"].shape
    assert "level_5" in result.note


def test_depth_is_asked_for_or_left_out() -> None:
    given = batch()
    with pytest.raises(BokehbenchError, match="depth_input false"):
        tiny_default().eval().render(given["image"])
    without = PyNET(width=3, perceptual="none", depth_input=False).eval()
    result = without.render(given["image"]).image
    assert torch.equal(result, without.render(given["image"], disparity=given["disparity"]).image)
    model, stage = tiny_default(), tiny_default().stages[0]
    del given["disparity"]
    with pytest.raises(BokehbenchError, match="disparity"):
        model.losses(stage, given)
    assert without.losses(stage, given)["l1"] > 0


# Losses --------------------------------------------------------------------------------------------------------------


def test_losses_are_the_published_ones(parity_dir: Path) -> None:
    stored = np.load(parity_dir / "metrics.npz")
    target = torch.from_numpy(stored["p1.target_u8"]).float().permute(2, 0, 1)[None] / 255
    raw = torch.from_numpy(stored["p1.pred_u8"]).float().permute(2, 0, 1)[None] / 255 * 1.16 - 0.08
    finest = float(sum(pynet_finest_loss(raw, target).values()))
    assert finest == pytest.approx(float(stored["p1.tf_train_loss1_novgg"]), abs=1e-3)
    assert float(pynet_coarse_loss(raw, target)["l1"]) == pytest.approx(
        float(stored["p1.tf_train_loss_upper"]), rel=1e-4
    )


def vgg_weights() -> dict[str, torch.Tensor]:
    """Random ones of the right shapes, scaled so that activations neither vanish nor explode."""
    generator = torch.Generator().manual_seed(0)
    weights, channels = {}, 3
    for name in PLACES:
        width = 64 * 2 ** min(int(name[4]) - 1, 3)
        kernel = torch.randn(width, channels, 3, 3, generator=generator)
        weights[f"{name}.weight"] = kernel * (2 / (9 * channels)) ** 0.5
        weights[f"{name}.bias"] = torch.zeros(width)
        channels = width
    return weights


def test_vgg_term_begins_with_its_share_and_originals_with_a_tenth() -> None:
    weights, given = vgg_weights(), batch(128, 1)
    for caffe in (False, True):
        model = PyNET(width=3, perceptual_share=0.15, start_anywhere=True)
        model._vgg.append(VGGDistance(weights, caffe))
        model.begin_stage(model.stages[-1])
        terms = model.losses(model.stages[-1], given)
        share = float((terms["vgg"] / sum(terms.values())).detach())
        assert float(model.perceptual_weight) == pytest.approx(0.1) if caffe else share == pytest.approx(0.15, rel=1e-4)
        first = model.perceptual_weight.clone()
        model.losses(model.stages[-1], batch(192, 1))
        assert torch.equal(first, model.perceptual_weight)
        assert not any("vgg" in name for name in model.state_dict())
        terms["vgg"].backward()
        assert model.net.level_1.head.weight.grad.abs().sum() > 0


def test_vgg_weights_of_both_namings_are_read_and_others_refused(tmp_path: Path) -> None:
    weights = vgg_weights()
    first, second = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    np.savez(tmp_path / "vgg.npz", **{name: value.numpy() for name, value in weights.items()})
    original = load_vgg(str(tmp_path / "vgg.npz"))
    assert original.caffe
    assert torch.equal(original(first, second), VGGDistance(weights, caffe=True)(first, second))
    renamed = {f"features.{PLACES[name.split('.')[0]]}.{name.split('.')[1]}": value for name, value in weights.items()}
    torch.save(renamed, tmp_path / "vgg.pth")
    modern = load_vgg(str(tmp_path / "vgg.pth"))
    assert not modern.caffe
    assert torch.equal(modern(first, second), VGGDistance(weights, caffe=False)(first, second))
    del renamed["features.34.bias"]
    torch.save(renamed, tmp_path / "vgg.pth")
    with pytest.raises(BokehbenchError, match=r"conv5_4\.bias is missing"):
        load_vgg(str(tmp_path / "vgg.pth"))
    with pytest.raises(BokehbenchError, match=r"--model\.perceptual"):
        load_vgg(str(tmp_path / "nowhere.npz"))


# Guard ---------------------------------------------------------------------------------------------------------------


class Break(Callback):
    """Spoils the weights after a step, as an exploding gradient does."""

    def __init__(self, step: int, value: float) -> None:
        self.step, self.value = step, value

    def on_train_batch_end(self, trainer, pl_module, *args) -> None:
        if trainer.global_step == self.step:
            for parameter in pl_module.net.level_6.head.parameters():
                parameter.data.fill_(self.value)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_collapsed_output_stops_the_run_and_the_last_good_checkpoint_stays(tmp_path: Path, value: float) -> None:
    model = tiny("pynet", steps=4, stages=["level_7", "level_6"], collapse_after=0)
    with pytest.raises(BokehbenchError, match=r"level_6, step [12].*last\.ckpt"):
        fit(model, tmp_path, [Break(step=6, value=value)])
    kept = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["global_step"] <= 6
    assert torch.isfinite(kept["state_dict"]["net.level_6.head.weight"]).all()
    assert kept["state_dict"]["net.level_6.head.weight"].abs().sum() > 0


def test_one_colour_is_a_collapse_and_a_picture_is_not() -> None:
    given = batch()
    saturated = torch.tensor([1.08, 1.08, -0.08])[:, None, None].expand_as(given["bokeh"])
    assert collapsed(saturated, given["bokeh"])
    edges = torch.where(given["bokeh"] > 0.5, 1.08, -0.08)  # exploded logits: not flat, but dead
    assert broken(edges)
    assert not broken(given["bokeh"].round())
    assert not collapsed(given["image"], given["bokeh"])
    assert not collapsed(torch.full_like(given["bokeh"], 0.3), torch.full_like(given["bokeh"], 0.2))


def test_levels_hand_over_in_one_fit_and_show_both_scores(tmp_path: Path) -> None:
    model = tiny("pynet", stages=LEVELS[-2:], start_anywhere=True)
    trainer = fit(model, tmp_path)
    assert int(model.finest) == 1
    assert model.start_score is not None
    assert float(trainer.callback_metrics["val/start_psnr"]) == pytest.approx(model.start_score, rel=1e-4)
    assert (tmp_path / "checkpoints" / "level_2.ckpt").is_file()


# Evaluation ----------------------------------------------------------------------------------------------------------


def test_the_authors_evaluation_adds_columns_without_stretching() -> None:
    model = PyNET(width=3, perceptual="none", official_evaluation=True).eval()
    given = batch(256, 1)
    scores = model.rendering_scores(given, model.sample(given))
    assert {"psnr", "official_psnr", "official_ssim", "official_ms_ssim", "identity_official_psnr"} <= set(scores)
    inner = slice(32, -32)
    error = (given["image"] - given["bokeh"])[..., inner, inner].square().mean()
    assert float(scores["identity_official_psnr"]) == pytest.approx(float(-10 * error.log10()), abs=1e-3)
