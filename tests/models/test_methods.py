"""What every method must do, whichever it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from methods import NAMES, TRAINABLE, tiny

from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS

SIZES = [(64, 64), (67, 91), (130, 70)]


def photo(height: int, width: int, count: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(height * width)
    image = torch.rand(count, 3, height, width, generator=generator)
    ramp = torch.linspace(0, 1, width).expand(count, 1, height, width)
    return {"image": image, "disparity": ramp.contiguous()}


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest) -> torch.nn.Module:
    torch.manual_seed(0)
    return tiny(request.param).eval()


@pytest.mark.parametrize("size", SIZES)
def test_render_keeps_any_size_and_stays_in_range(model, size) -> None:
    given = photo(*size)
    result = model.render(given["image"], disparity=given["disparity"], focus=0.5, aperture=8.0).image
    assert result.shape == given["image"].shape
    assert result.min() >= 0
    assert result.max() <= 1
    assert torch.isfinite(result).all()


def test_render_is_repeatable_and_leaves_its_input(model) -> None:
    given = photo(72, 64)
    before = given["image"].clone()
    first = model.render(given["image"], disparity=given["disparity"], focus=0.2, aperture=4.0).image
    assert torch.equal(first, model.render(given["image"], disparity=given["disparity"], focus=0.2, aperture=4.0).image)
    assert torch.equal(before, given["image"])


def test_pictures_of_a_batch_do_not_touch_each_other(model) -> None:
    given = photo(64, 64, count=2)
    together = model.render(given["image"], disparity=given["disparity"], focus=0.5, aperture=8.0).image
    alone = model.render(given["image"][1:], disparity=given["disparity"][1:], focus=0.5, aperture=8.0).image
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=0)


def test_every_stage_trains_something_and_only_what_it_says(model) -> None:
    for stage in model.stages:
        model.begin_stage(stage)
        trained = {id(p) for p in model.parameters() if p.requires_grad}
        said = {id(p) for module in model.stage_modules(stage) for p in module.parameters()}
        assert trained
        assert trained == said
        assert {id(p) for group in model.parameter_groups(stage) for p in group["params"]} == trained
    model.requires_grad_(True)
    model.stage = None
    model.eval()


@pytest.mark.parametrize("name", TRAINABLE)
def test_stages_can_be_chosen_and_keep_the_methods_order(name) -> None:
    names = [stage.name for stage in tiny(name).stages]
    assert [stage.name for stage in tiny(name, stages=names[::-1]).stages] == names
    assert [stage.name for stage in tiny(name, stages=names[-1:]).stages] == names[-1:]


@pytest.mark.parametrize("name", TRAINABLE)
def test_unknown_stage_is_answered_with_the_known_ones(name) -> None:
    known = tiny(name).stages[0].name
    with pytest.raises(BokehbenchError, match=known):
        MODELS[name](stages=[known + "x"])


@pytest.mark.parametrize("name", TRAINABLE)
def test_starting_weights_are_loaded_and_checked(name, tmp_path: Path) -> None:
    model = tiny(name)
    path = tmp_path / "start.ckpt"
    torch.save({"state_dict": model.state_dict()}, path)
    started = tiny(name, weights=str(path))
    state = model.state_dict()
    assert all(torch.equal(value, started.state_dict()[key]) for key, value in state.items())
    missing = next(iter(state))
    del state[missing]
    torch.save({"state_dict": state}, path)
    with pytest.raises(BokehbenchError, match="missing"):
        tiny(name, weights=str(path))
