"""D2F as a method: what each stage learns from, how it is steered, and what its switches do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from methods import SMALL, tiny
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError
from bokehbench.metrics import pretrained
from bokehbench.models.d2f import D2F
from bokehbench.models.random_crop import random_crop
from bokehbench.nets.d2f.d2f_net import halved
from bokehbench.nets.d2f.renderer import RADII, defocus_of


@pytest.fixture
def model() -> D2F:
    torch.manual_seed(0)
    made = tiny("d2f")
    assert isinstance(made, D2F)
    return made


def pairs(count: int = 2, side: int = 128) -> Batch:
    """Pictures in focus on their left half, blurred by a disparity of 0.5 on the right."""
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(count, 3, side, side, generator=generator)
    disparity = torch.full((count, 1, side, side), 0.9)
    disparity[..., side // 2 :] = 0.4
    values = {"focus": torch.full((count,), 0.9), "aperture": torch.full((count,), 24.0)}
    names = [f"pair {number}" for number in range(count)]
    return {"image": image, "bokeh": image.flip(-1), "disparity": disparity, "name": names, **values}  # type: ignore[typeddict-item]


def begun(model: D2F, name: str) -> D2F:
    stage = next(stage for stage in model.stages if stage.name == name)
    model.begin_stage(stage)
    return model.train()  # type: ignore[return-value]


def gradients(model: D2F, batch: Batch) -> set[str]:
    """Names of the parameters that get a gradient in the current stage."""
    assert model.stage is not None
    torch.stack(list(model.losses(model.stage, batch).values())).sum().backward()
    return {name for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("stage", ["rendering", "fusion"])
@pytest.mark.parametrize("radiance", ["full", "learned", "highlight", "off"])
def test_all_that_a_stage_trains_gets_a_gradient_and_nothing_else(stage: str, radiance: str) -> None:
    """What DDP asks for, for every switch."""
    model = tiny("d2f", radiance=radiance, unused_unit=True)
    assert isinstance(model, D2F)
    begun(model, stage)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert gradients(model, pairs()) == trained
    parts = {name.split(".")[1] for name in trained}
    rendering = {"defocus", "radiance"} if radiance in ("full", "learned") else {"defocus"}
    assert parts == (rendering if stage == "rendering" else {"fusion"})


def test_the_first_part_is_in_evaluation_mode_while_the_mask_is_trained(model: D2F) -> None:
    begun(model, "fusion")
    assert not any(module.training for module in model.net.defocus.modules())
    before = model.net.defocus.encoder.state_dict()
    before = {key: value.clone() for key, value in before.items()}
    gradients(model, pairs())
    assert all(torch.equal(value, before[key]) for key, value in model.net.defocus.encoder.state_dict().items())


def test_the_encoder_learns_at_its_own_rate(model: D2F) -> None:
    begun(model, "rendering")
    encoder = {id(p) for p in model.net.defocus.encoder.parameters()}
    rate = model.stages[0].recipe.learning_rate
    for group in model.parameter_groups(model.stages[0]):
        inside = {id(p) in encoder for p in group["params"]}
        assert len(inside) == 1
        assert group["lr"] == pytest.approx(rate * (0.1 if inside.pop() else 1))


def test_losses_are_finite_and_named_and_the_warm_up_term_ends(model: D2F) -> None:
    batch = pairs()
    terms = begun(model, "rendering").losses(model.stages[0], batch)
    assert set(terms) == {"l1", "ssim", "range"}
    begun(model, "fusion")
    start = model.losses(model.stages[1], batch)
    assert set(start) == {"l1", "ssim", "poisson", "initial_mask", "range"}
    assert all(bool(torch.isfinite(value)) for value in [*terms.values(), *start.values()])
    model.progress = 0.1
    half = float(model.losses(model.stages[1], batch)["initial_mask"].detach())
    assert half == pytest.approx(float(start["initial_mask"].detach()) / 2)
    model.progress = 0.2
    assert model.losses(model.stages[1], batch)["initial_mask"] == 0


def test_smoothness_asks_for_a_flat_defocus_map_but_less_so_at_the_pictures_edges(monkeypatch) -> None:
    model = begun(tiny("d2f", smoothness_weight=2.0, head_activation="clamp"), "rendering")
    model.losses(model.stages[0], pairs())["smoothness"].backward()
    assert any(bool(p.grad.any()) for p in model.net.defocus.parameters() if p.grad is not None)

    def slope(half: Tensor) -> Tensor:
        """A map that rises by 0.01 per column."""
        return (0.01 * torch.arange(half.shape[-1])).expand(len(half), 1, *half.shape[-2:])

    monkeypatch.setattr(model.net.defocus, "linear", slope)
    noise, flat = pairs(), pairs()
    flat["image"] = torch.full_like(flat["image"], 0.5)
    terms = [float(model.losses(model.stages[0], batch)["smoothness"].detach()) for batch in (noise, flat)]
    assert terms[1] == pytest.approx(2.0 * 0.01)  # weight times slope: no edge excuses it
    assert 0 < terms[0] < terms[1]


def test_lpips_joins_both_stages_and_its_weights_are_looked_for_before_the_first_step(monkeypatch) -> None:
    class Distance(torch.nn.Module):
        def forward(self, prediction: Tensor, target: Tensor, normalize: bool) -> Tensor:
            assert normalize
            return (prediction - target).abs().mean((1, 2, 3))

    monkeypatch.setattr(pretrained, "_load", lambda *what: Distance())
    model = begun(tiny("d2f", lpips_weight=0.1), "rendering")
    for stage in model.stages:
        terms = model.losses(begun(model, stage.name).stage, pairs())
        assert float(terms["lpips"].detach()) == pytest.approx(0.1 * float(terms["l1"].detach()))
    missing = pretrained.WeightsNotAvailableError("no weights here")
    monkeypatch.setattr(pretrained, "_load", lambda *what: missing)
    with pytest.raises(BokehbenchError, match="no weights here"):
        model.begin_stage(model.stages[0])


def test_a_penalty_brings_a_map_back_that_left_the_layers_range(model: D2F) -> None:
    """Beyond the clamp the picture tells nothing: without the penalty the map would stay there."""
    begun(model, "rendering")
    torch.nn.init.constant_(model.net.defocus.head[-1].bias, 9.0)
    assert gradients(model, pairs())
    bias = model.net.defocus.head[-1].bias
    assert bias.grad is not None
    assert float(bias.grad) > 0


def test_the_schedule_of_alpha_is_for_training_alone(monkeypatch) -> None:
    model = tiny("d2f", alpha_schedule="rising")
    assert isinstance(model, D2F)
    begun(model, "rendering")
    seen = []
    renderer = model.net.renderer
    render = type(renderer).__call__
    monkeypatch.setattr(
        type(renderer), "__call__", lambda self, *maps: seen.append(self.sharpness) or render(self, *maps)
    )
    for model.progress in (0.0, 0.0625, 0.125, 0.9):
        model.losses(model.stages[0], pairs(1))
    assert seen == pytest.approx([20, 60, 100, 100])
    assert renderer.sharpness == 100


def test_a_short_fit_finds_where_the_picture_is_blurred() -> None:
    """The defocus map has no labels: it must come from the target alone."""
    torch.manual_seed(1)
    model = tiny("d2f", encoder_rate=1.0, alpha_schedule="rising")
    assert isinstance(model, D2F)
    begun(model, "rendering")
    batch = pairs(2)
    true = model.true_defocus(batch)
    assert true is not None
    with torch.no_grad():  # colour tells the sides apart, as a subject's does
        batch["image"][..., :64] *= torch.tensor([1.0, 0.3, 0.3]).view(3, 1, 1)
        batch["bokeh"] = torch.nn.functional.interpolate(
            model.net.renderer(halved(batch["image"]), torch.ones(2, 3, 64, 64), true), scale_factor=2, mode="bilinear"
        )
    optimiser = torch.optim.Adam(model.parameter_groups(model.stages[0]))
    for step in range(50):
        model.progress = step / 100
        optimiser.zero_grad()
        torch.stack(list(model.losses(model.stages[0], batch).values())).sum().backward()
        optimiser.step()
    scores = model.eval().validation_scores(batch)
    assert scores["defocus_rank"].min() > 0.6
    assert (scores["coarse_psnr"] > scores["identity_coarse_psnr"]).all()


def test_fusion_alone_needs_weights(model: D2F, tmp_path: Path) -> None:
    alone = tiny("d2f", stages=["fusion"])
    with pytest.raises(BokehbenchError, match=r"--model\.weights"):
        alone.begin_stage(alone.stages[0])
    torch.save({"state_dict": model.state_dict()}, tmp_path / "first.ckpt")
    alone = tiny("d2f", stages=["fusion"], weights=str(tmp_path / "first.ckpt"))
    alone.begin_stage(alone.stages[0])
    assert alone.stage is alone.stages[0]


@pytest.mark.parametrize("mask", ["none", "initial"])
def test_without_a_mask_network_there_is_no_stage_for_it(mask: str) -> None:
    model = D2F(**SMALL["d2f"], mask=mask)  # type: ignore[arg-type]
    assert [stage.name for stage in model.stages] == ["rendering"]
    model.begin_stage(model.stages[0])
    assert {"psnr", "coarse_psnr"} <= set(model.eval().validation_scores(pairs(1)))


def test_an_untrained_mask_shows_the_rendering(model: D2F) -> None:
    """A checkpoint of the first stage alone must render."""
    with torch.no_grad():
        assert not model.eval().net(pairs(1)["image"])["mask"].any()


def test_defocus_of_a_radius_is_the_middle_of_its_layer() -> None:
    for kernels, radii in RADII.items():
        indices = defocus_of(torch.tensor(radii, dtype=torch.float64), kernels) * (len(radii) - 1)  # type: ignore[arg-type]
        assert indices[1:].tolist() == pytest.approx([i + 0.5 for i in range(1, len(radii))])
        assert indices[0] == 0
    between = defocus_of(torch.tensor([0.0, 0.2, 1.0, 4.0, 5.0, 33.0, 34.0, 90.0]))
    assert (between.diff() >= 0).all()
    assert between[-1] == between[-2]


def test_true_defocus_has_the_pictures_order_and_scale(model: D2F) -> None:
    true = model.true_defocus(pairs())
    assert true is not None
    assert true.shape == (2, 1, 64, 64)
    assert not true[..., :31].any()
    # 24 px at 1 are 12 px at a difference of 0.5, and 6 at half size: between the layers of radius 5 and 7
    torch.testing.assert_close(true[..., 33:], torch.full_like(true[..., 33:], 5 / 14))
    batch = pairs()
    del batch["focus"]
    assert model.true_defocus(batch) is None


def test_the_user_steers_scale_and_aperture_and_nothing_else(model: D2F) -> None:
    model.eval()
    image = pairs(1)["image"]
    torch.nn.init.constant_(model.net.defocus.head[-1].bias, 1.0)
    plain = model.render(image).image
    assert torch.equal(plain, model.render(image, disparity=torch.rand(1, 1, 128, 128), focus=0.3).image)
    assert "focus ignored" in model.render(image, focus=0.3).note
    assert "scale 1.00" in model.render(image).note
    spread = [float(model.render(image, aperture=a).image.diff().abs().mean()) for a in (0.0, 4.0, 20.0, 64.0)]
    assert spread == sorted(spread, reverse=True)
    torch.testing.assert_close(model.render(image, aperture=0.0).image, model.net(image, 0.0)["bokeh"])
    weaker = tiny("d2f", defocus_scale=0.5).eval()
    weaker.load_state_dict(model.state_dict())
    torch.testing.assert_close(weaker.render(image).image, model.net(image, 0.5)["bokeh"])
    with pytest.raises(BokehbenchError, match=r"--model\.defocus_scale -1"):
        tiny("d2f", defocus_scale=-1.0)


def test_test_and_validation_do_not_pass_the_data_sets_aperture(model: D2F) -> None:
    batch = pairs(1)
    assert torch.equal(model.eval().render_batch(batch).image, model.render(batch["image"]).image)
    assert set(model.panels(batch)) >= {"hallucinated defocus", "true defocus", "output", "target"}


def test_under_half_precision_the_renderer_and_the_losses_keep_theirs(model: D2F) -> None:
    batch = pairs(1)
    begun(model, "rendering")
    exact = model.losses(model.stages[0], batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model.losses(model.stages[0], batch)
        coarse = model.net.render_coarse(halved(batch["image"]))["coarse"]
    assert coarse.dtype == torch.float32
    for key, value in exact.items():
        assert mixed[key].dtype == torch.float32
        torch.testing.assert_close(mixed[key], value, atol=0.02, rtol=0.05)


def test_crops_are_one_window_of_all_pictures() -> None:
    ramp = torch.arange(60.0).view(1, 1, 6, 10)
    first, second = random_crop([ramp, 2 * ramp], 4)
    assert first.shape == (1, 1, 4, 4)
    assert torch.equal(2 * first, second)
    assert torch.equal(random_crop([ramp], 99)[0], ramp)


def test_fusion_on_crops_judges_sharpness_by_the_whole_picture(model: D2F) -> None:
    cropping = tiny("d2f", fusion_crop=48)
    assert isinstance(cropping, D2F)
    cropping.load_state_dict(model.state_dict())
    begun(cropping, "fusion")
    seen: list[Tensor] = []
    handle = cropping.net.fusion.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    cropping.losses(cropping.stages[1], pairs(1))
    handle.remove()
    assert [tuple(image.shape) for image in seen] == [(1, 3, 48, 48)]
