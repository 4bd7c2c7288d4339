"""Aperture: depth from the blur of pictures alone."""

from __future__ import annotations

import pytest
import torch
from methods import tiny

from bokehbench.data import SyntheticDoF
from bokehbench.data.collate import collate
from bokehbench.errors import BokehbenchError
from bokehbench.losses import total
from bokehbench.models import Aperture, Compositional


def batch(count: int = 2) -> dict:
    """Scenes without any depth map."""
    data = SyntheticDoF(size=64, aperture=8, test_samples=count, disparity_input="clean", num_workers=0)
    data.setup("test")
    made = collate([data.test_set[index] for index in range(count)])
    return {key: value for key, value in made.items() if key not in ("disparity", "mask")}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return tiny("aperture")


@pytest.mark.parametrize("output", ["sigmoid", "minmax"])
def test_the_picture_alone_teaches_the_whole_depth_network(output) -> None:
    torch.manual_seed(0)
    model = tiny("aperture", output=output)
    model.begin_stage(model.stages[0])
    total(model.losses(model.stages[0], batch())).backward()
    assert all(p.grad is not None for p in model.parameters())
    first = next(model.net.depth.body.parameters())
    for far in (first, model.net.depth.pyramid.spp1.conv.weight, model.net.depth.head.pre.weight):
        assert bool(far.grad.any())


def test_a_few_steps_lower_the_loss(model) -> None:
    stage, given = model.stages[0], batch()
    model.begin_stage(stage)
    model.train()
    optimiser = torch.optim.Adam(model.parameter_groups(stage), lr=1e-3)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = total(model.losses(stage, given))
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-3:]) < 0.9 * sum(losses[:3])


def test_training_reads_no_disparity(model) -> None:
    stage, given = model.stages[0], batch()
    assert not {"disparity", "true_disparity"} & {*stage.keys, *stage.needs}
    model.eval()
    without = model.losses(stage, given)["l1"]
    nonsense = torch.full_like(given["image"][:, :1], torch.nan)
    assert torch.equal(model.losses(stage, {**given, "disparity": nonsense, "true_disparity": nonsense})["l1"], without)


def test_missing_focus_is_named(model) -> None:
    given = batch()
    del given["focus"]
    model.begin_stage(model.stages[0])
    with pytest.raises(BokehbenchError, match=r"'focus'.*--data\.focus"):
        model.training_step(given, 0)


def test_it_is_tested_with_its_own_disparity_unless_told_otherwise(model) -> None:
    ramp = torch.linspace(0, 1, 64).expand(2, 1, 64, 64)
    given = {**batch(), "disparity": ramp}
    blur = {"focus": given["focus"], "aperture": given["aperture"]}
    own = model.eval().render_batch(given)
    assert "own disparity" in own.note
    assert torch.equal(own.image, model.render(given["image"], **blur).image)
    told = tiny("aperture", use_given_disparity=True).eval().render_batch(given)
    assert "given disparity" in told.note
    torch.testing.assert_close(told.image, Compositional().render(given["image"], disparity=ramp, **blur).image)


def test_a_map_that_is_given_to_render_takes_the_place_of_its_own(model) -> None:
    image, ramp = batch()["image"], torch.linspace(0, 1, 64).expand(2, 1, 64, 64)
    rendering = model.eval().render(image, disparity=ramp, focus=0.3, aperture=8.0)
    expected = Compositional().render(image, disparity=ramp, focus=0.3, aperture=8.0).image
    torch.testing.assert_close(rendering.image, expected)
    assert rendering.disparity is ramp


def test_its_depth_network_runs_once_for_a_picture_and_all_that_is_said_of_it(model, monkeypatch) -> None:
    calls = []
    predict = model.net.predict_disparity
    monkeypatch.setattr(model.net, "predict_disparity", lambda image: calls.append(1) or predict(image))
    image = batch(1)["image"]
    rendering = model.eval().render(image, aperture=8.0)
    assert "own disparity, focus at disparity" in rendering.note
    prepared = model.prepare(image)
    refocused = [model.refocus(prepared, focus=focus, aperture=8.0).image for focus in (None, 0.1, 0.9)]
    assert len(calls) == 2
    assert torch.equal(refocused[0], rendering.image)
    assert not torch.equal(refocused[1], refocused[2])


def test_a_point_focuses_on_the_own_disparity_under_it(model) -> None:
    image = batch(1)["image"]
    model.eval()
    with torch.no_grad():
        under = float(model.net.predict_disparity(image)[0, 0, 10, 48])
    at_point = model.render(image, focus=(48.5, 10.5), aperture=8.0).image
    torch.testing.assert_close(at_point, model.render(image, focus=under, aperture=8.0).image)


def test_validation_scores_depth_where_it_is_known_and_shows_it(model) -> None:
    given = batch()
    model.eval()
    assert "depth_mae" not in model.validation_scores(given)
    disparity = torch.linspace(0, 1, 64).expand(2, 1, 64, 64).contiguous()
    scores = model.validation_scores({**given, "disparity": disparity})
    assert scores["depth_mae"].shape == (2,)
    assert bool((scores["depth_mae"] > 0).all())
    panels = model.panels({**given, "disparity": disparity})
    assert panels["predicted disparity"].shape == (2, 1, 64, 64)
    assert list(panels)[-2:] == ["output", "target"]


@pytest.mark.parametrize(("option", "value"), [("output", "softmax"), ("step", 0), ("aperture_share", -0.1)])
def test_bad_settings_are_refused(option, value) -> None:
    with pytest.raises(BokehbenchError, match=option):
        Aperture(**{option: value})
