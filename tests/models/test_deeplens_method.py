"""DeepLens beyond what every method must do: focus, aperture, re-use, ablations."""

from __future__ import annotations

import pytest
import torch
from methods import tiny, words

from bokehbench.cli import main
from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.models import deeplens_training
from bokehbench.models.load import load_model
from bokehbench.models.stages import Stage
from bokehbench.nets.deeplens import area_resize
from bokehbench.optics import minmax, signed_defocus


def batch(size: int = 64, aperture: float = 16.0) -> dict:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, size, size, generator=generator)
    ramp = torch.linspace(0, 1, size).expand(2, 1, size, size).contiguous()
    return {
        "image": image, "bokeh": image.flip(-1), "disparity": ramp, "true_disparity": ramp.flip(-1),
        "mask": (ramp > 0.5).float(), "focus": torch.tensor([0.2, 0.8]), "aperture": torch.full((2,), aperture),
        "name": ["a", "b"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return tiny("deeplens").eval()


def test_aperture_zero_does_not_depend_on_disparity_or_focus(model) -> None:
    """Spec 8 (f): a = 0 makes the signed disparity zero."""
    given = batch()
    one = model.render(given["image"], disparity=given["disparity"], focus=0.1, aperture=0.0).image
    other = model.render(given["image"], disparity=given["disparity"].flip(-1), focus=0.9, aperture=0.0).image
    torch.testing.assert_close(one, other)


def test_focus_and_aperture_change_the_picture(model) -> None:
    given = batch()
    base = model.render(given["image"], disparity=given["disparity"], focus=0.1, aperture=16.0).image
    for other in ({"focus": 0.9, "aperture": 16.0}, {"focus": 0.1, "aperture": 8.0}):
        assert (base - model.render(given["image"], disparity=given["disparity"], **other).image).abs().max() > 1e-4


def test_a_point_focuses_on_the_disparity_under_it(model) -> None:
    given = batch()
    at_point = model.render(given["image"], disparity=given["disparity"], focus=(48.0, 10.0), aperture=16.0).image
    value = area_resize(given["disparity"], (32, 32))[0, 0, 5, 24]
    by_value = model.render(given["image"], disparity=given["disparity"], focus=float(value), aperture=16.0).image
    torch.testing.assert_close(at_point, by_value)
    with pytest.raises(BokehbenchError, match="outside the photo"):
        model.render(given["image"], focus=(65.0, 10.0))


def test_refocusing_uses_the_depth_again_and_gives_the_same_picture(model, monkeypatch) -> None:
    image = batch()["image"]
    calls = []
    predict = model.net.predict_disparity
    monkeypatch.setattr(model.net, "predict_disparity", lambda image: calls.append(1) or predict(image))
    prepared = model.prepare(image)
    model.refocus(prepared, focus=0.2, aperture=8.0)
    second = model.refocus(prepared, focus=0.7, aperture=4.0)
    assert len(calls) == 1
    assert torch.equal(second.image, model.render(image, focus=0.7, aperture=4.0).image)
    assert len(calls) == 2
    widest = model.refocus(prepared, focus=0.7, aperture=16.0)  # another number of halvings
    assert len(calls) == 3
    assert torch.equal(widest.image, model.render(image, focus=0.7, aperture=16.0).image)
    model.refocus(prepared, focus=0.7, aperture=8.0)
    assert len(calls) == 4  # that of render alone: both numbers of halvings are kept


def test_a_changed_photo_or_changed_weights_are_not_mistaken_for_the_old(model) -> None:
    """A model keeps nothing of a photo."""
    image = batch()["image"]
    before = model.render(image, focus=0.5, aperture=8.0).image
    image.mul_(0.5)
    after = model.render(image, focus=0.5, aperture=8.0).image
    assert (before - after).abs().max() > 1e-3
    with torch.no_grad():
        model.net.feature_network.layers[0].weight.mul_(1.5)
    changed = model.render(image, focus=0.5, aperture=8.0).image
    with torch.no_grad():
        model.net.feature_network.layers[0].weight.div_(1.5)
    assert (after - changed).abs().max() > 1e-5


@pytest.mark.parametrize(("long_side", "aperture", "levels"), [(64, None, 0), (639, None, 0), (640, None, 1)])
def test_levels_by_size(model, long_side, aperture, levels) -> None:
    assert model.levels(48, long_side, aperture) == levels


def test_levels_by_blur(model) -> None:
    """A radius beyond R_max = 8 px is rendered at a coarser level; 4096 px need three halvings for their size."""
    assert model.levels(320, 320, 8.0) == 0
    assert model.levels(320, 320, 16.0) == 1
    assert model.levels(320, 320, 32.0) == 2
    assert model.levels(2731, 4096, 8.0) == 3


@pytest.mark.parametrize("choice", ["given", "clean", "predicted"])
def test_what_the_rendering_stage_is_given_is_a_switch(choice) -> None:
    torch.manual_seed(0)
    model = tiny("deeplens", training_disparity=choice)
    given = batch()
    if choice == "predicted":
        del given["disparity"], given["true_disparity"]
        expected = model.eval().net.predict_disparity(given["image"])
    else:
        expected = given["true_disparity" if choice == "clean" else "disparity"]
    stage = model.stages[-1]
    torch.testing.assert_close(model.disparity_and_focus(stage, given)[0], expected)
    model.begin_stage(stage)
    assert all(torch.isfinite(term) for term in model.losses(stage, given).values())


def test_the_loss_is_a_switch() -> None:
    given = batch()
    terms = []
    for loss in ("normalised", "l1"):
        torch.manual_seed(0)
        model = tiny("deeplens", loss=loss).eval()
        terms.append(sum(model.losses(model.stages[-1], given).values()).item())
    assert terms[0] > terms[1] > 0  # the normalised loss weighs large errors more


def terms_of(aperture: float = 16.0, **options: object) -> dict[str, float]:
    torch.manual_seed(0)
    model = tiny("deeplens", **options).eval()
    return {name: term.item() for name, term in model.losses(model.stages[-1], batch(aperture=aperture)).items()}


def test_the_terms_of_eq_6_have_weights() -> None:
    plain, weighted = terms_of(), terms_of(low_weight=0.25, high_weight=3.0)
    assert weighted == {"low": pytest.approx(0.25 * plain["low"]), "high": pytest.approx(3 * plain["high"])}
    assert terms_of(low_weight=0.0)["low"] == 0


def test_a_larger_exponent_weighs_large_errors_more() -> None:
    rising = [terms_of(loss_alpha=alpha)["high"] for alpha in (0.0, 0.5, 1.0, 2.0, 6.0)]
    assert rising == sorted(rising)
    assert rising[0] == pytest.approx(terms_of(loss="l1")["high"], rel=1e-4)
    assert rising[2] == terms_of()["high"]


def test_every_trained_upsampling_step_has_its_term() -> None:
    """What is trained is what a photo of that size and aperture is rendered with, level by level."""
    torch.manual_seed(0)
    model, given = tiny("deeplens", trained_upsamplings=2, loss="l1").eval(), batch(aperture=32.0)
    assert model.levels(64, 64, 32.0) == 1  # small for three levels: a larger picture has them
    levels = [area_resize(given["image"], (side, side)) for side in (16, 32, 64)]
    signed = signed_defocus(area_resize(given["disparity"], (16, 16)), given["focus"], torch.ones(2))
    errors = [
        (result - area_resize(given["bokeh"], tuple(result.shape[-2:]))).abs().mean().item()
        for result in model.net(levels, signed)
    ]
    terms = {name: term.item() for name, term in model.losses(model.stages[-1], given).items()}
    assert terms == {"low": pytest.approx(errors[0]), "high": pytest.approx(errors[1] + errors[2])}
    assert terms_of(32.0, loss="l1") != pytest.approx(terms)  # one step: the picture is made smaller first


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"trained_upsamplings": 0}, "trained_upsamplings"),
        ({"loss_alpha": -1.0}, "loss_alpha"),
        ({"loss_alpha": 7.0}, "loss_alpha"),
        ({"loss_alpha": 0.5, "loss_through_weights": True}, "loss_alpha"),
        ({"low_weight": -1.0}, "low_weight"),
        ({"low_weight": 0.0, "high_weight": 0.0}, "high_weight"),
        ({"joint_depth_weight": -0.1}, "joint_depth_weight"),
    ],
)
def test_losses_that_train_nothing_are_refused(options, option) -> None:
    with pytest.raises(BokehbenchError, match=rf"--model\.{option} .*: give "):
        tiny("deeplens", **options)


def test_the_command_lines_exponent_and_weights_reach_the_loss(tmp_path, monkeypatch) -> None:
    seen = []

    def keep(prediction, target, detach, alpha):
        seen.append(alpha)
        return (prediction - target).abs().mean()

    monkeypatch.setattr(deeplens_training, "normalised_loss", keep)
    options = [
        "--model.stages=[rendering]",
        "--model.loss_alpha=2",
        "--model.low_weight=0.5",
        "--model.high_weight=0.1",
    ]
    assert main(["fit", *words("deeplens", steps=1), *options, f"--trainer.default_root_dir={tmp_path}"]) == 0
    assert seen == [2, 2]
    (checkpoint,) = tmp_path.glob("**/rendering.ckpt")
    stored = load_model(checkpoint).architecture_arguments
    assert {"loss_alpha": 2, "low_weight": 0.5, "high_weight": 0.1}.items() <= stored.items()
    assert "joint_depth_weight" not in stored


def test_missing_targets_are_named() -> None:
    model = tiny("deeplens")
    stage: Stage = model.stages[-1]
    given = batch()
    del given["aperture"]
    model.begin_stage(stage)
    with pytest.raises(BokehbenchError, match=r"'aperture'.*--data\.aperture"):
        model.training_step(given, 0)


def test_official_numerics_return_large_photos_at_their_own_size() -> None:
    model = tiny("deeplens", numerics="official").eval()
    image = torch.rand(1, 3, 40, 1301)
    assert model.render(image, aperture=8.0).image.shape == image.shape


def whole_scenes(count: int, **options: object) -> dict:
    """A batch of synthetic scenes with any focus, their disparity stretched to [0, 1]."""
    scenes = SyntheticDoF(size=96, num_workers=0, disparity_scale="minmax", **options).pictures("train")
    items = [scenes[index] for index in range(count)]
    tensors = {key: torch.stack([item[key] for item in items]) for key in items[0] if key != "name"}
    return {**tensors, "name": [item["name"] for item in items]}


def test_perfect_depth_trains_as_the_true_disparity_does(monkeypatch) -> None:
    """An ideal depth network through the path of Table 3's second row."""
    given = whole_scenes(24)
    model = tiny("deeplens", training_disparity="predicted", rendering_crop=64)
    monkeypatch.setattr(model.net, "predict_disparity", lambda image: minmax(given["true_disparity"]))
    disparity, focus = model.disparity_and_focus(model.stages[-1], given)
    signed = signed_defocus(disparity, focus, given["aperture"])
    ideal = signed_defocus(given["true_disparity"], given["focus"], given["aperture"])
    assert float((signed - ideal).abs().max() / given["aperture"].max()) < 0.005
    model.begin_stage(model.stages[-1])
    assert all(torch.isfinite(term) for term in model.losses(model.stages[-1], given).values())


def test_depth_is_predicted_on_whole_pictures_only(tmp_path, capsys) -> None:
    options = ["--model.training_disparity=predicted", f"--trainer.default_root_dir={tmp_path}"]
    assert main(["fit", *words("deeplens", steps=1), *options]) == 2
    assert "--model.rendering.view resize" in capsys.readouterr().err
    whole = ["--model.rendering.view=resize", "--model.rendering_crop=32", "--data.disparity_scale=minmax"]
    assert main(["fit", *words("deeplens", steps=1), *options, *whole]) == 0
