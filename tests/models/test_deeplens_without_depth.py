"""DeepLens without a depth network: rendering alone."""

from __future__ import annotations

import pytest
import torch
from measured_boards import fit
from methods import SMALL, tiny

from bokehbench.checkpoints import read_checkpoint
from bokehbench.errors import BokehbenchError
from bokehbench.models import DeepLens
from bokehbench.models.load import load_model
from bokehbench.models.weights import weights_hash
from bokehbench.provenance import Provenance

BATCH = {"image": torch.rand(2, 3, 64, 64), "bokeh": torch.rand(2, 3, 64, 64), "disparity": torch.rand(2, 1, 64, 64),
         "focus": torch.tensor([0.2, 0.5]), "aperture": torch.full((2,), 4.0), "name": ["a", "b"]}  # fmt: skip


def test_it_needs_a_map_and_trains_rendering_alone() -> None:
    model = tiny("deeplens", depth_network=False).eval()
    assert not [name for name in model.state_dict() if "depth" in name]
    assert model.uses.disparity == "needed"
    assert DeepLens.uses.disparity == "own"
    assert [stage.name for stage in model.stages] == ["rendering"]
    assert model.disparity(BATCH["image"]) is None
    with pytest.raises(BokehbenchError, match="no depth network of its own"):
        model.render(BATCH["image"])
    assert model.network(model.architecture_arguments)["differs"]["depth_network"] == [False, True]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"stages": ["depth"]}, r"stages \[depth\]"),
        ({"stages": ["rendering", "joint"]}, r"stages \[joint\]"),
        ({"training_disparity": "predicted"}, "training_disparity predicted"),
    ],
)
def test_what_trains_or_uses_depth_is_refused(options, why) -> None:
    with pytest.raises(BokehbenchError, match=f"{why} .* leave out --model.depth_network false"):
        DeepLens(**SMALL["deeplens"], depth_network=False, **options)


def test_it_renders_and_learns_as_the_whole_does() -> None:
    whole = tiny("deeplens")
    part = tiny("deeplens", depth_network=False)
    part.load_state_dict({name: whole.state_dict()[name] for name in part.state_dict()})
    losses = []
    for model in (whole, part):
        stage = next(stage for stage in model.stages if stage.name == "rendering")
        model.begin_stage(stage)
        model.train()
        terms = model.losses(stage, BATCH)
        losses.append({name: float(value.detach()) for name, value in terms.items()})
        sum(terms.values()).backward()
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert losses[0] == losses[1]
    given = {key: BATCH[key] for key in ("disparity", "focus", "aperture")}
    one, other = (model.eval().render(BATCH["image"], **given).image for model in (whole, part))
    assert torch.equal(one, other)


def test_what_was_never_trained_is_not_kept(tmp_path) -> None:
    last = fit("deeplens", tmp_path, "--model.stages=[rendering]")
    model = load_model(last)
    kept = model.to_keep()
    assert kept.hparams["depth_network"] is False
    assert kept.provenance.stages == model.provenance.stages
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in kept.state_dict().items())
    model.provenance = Provenance.from_plain({**model.provenance.to_plain(), "stages": {"depth": {}, "rendering": {}}})
    assert model.to_keep() is model
    assert kept.to_keep() is kept
    again = load_model(fit("deeplens", tmp_path / "a", "--model.stages=[rendering]", "--model.depth_network=false"))
    assert weights_hash(again) == weights_hash(kept), "training is the same, bit by bit"
    assert again.state_dict().keys() == kept.state_dict().keys()
    assert read_checkpoint(last)["state_dict"].keys() > kept.state_dict().keys()
