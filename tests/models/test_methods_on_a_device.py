"""Every method on another device than the CPU: no operator meets a tensor that was left behind, results are the same.

The device is pretended (``pretend_device``): it computes on the CPU, so results are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import Any, cast

import pytest
import torch
from methods import NAMES, TRAINABLE, tiny
from pretend_device import assert_same, pretended, there

from bokehbench.batch import PICTURE_KEYS, Batch
from bokehbench.data import SyntheticDoF
from bokehbench.data.collate import collate
from bokehbench.losses import total
from bokehbench.models.base import BokehModel

#: Constructor arguments that take other ways through the losses, and through a rendering.
LOSSES: list[tuple[str, dict[str, Any]]] = [
    ("deeplens", {"numerics": "official", "training_disparity": "predicted", "rendering_crop": 32}),
]
RENDERINGS: list[tuple[str, dict[str, Any]]] = [
    ("deeplens", {"numerics": "official"}), ("deeplens", {"upsampling": "guided"}),
    ("pix2pix", {"disparity_input": True}), ("pynet", {"depth_input": False}),
]  # fmt: skip
METHODS = [*((name, {}) for name in NAMES), *RENDERINGS]
TRAINED = [*((name, {}) for name in TRAINABLE), *LOSSES]


def named(each: tuple[str, dict[str, Any]]) -> str:
    return "-".join([each[0], *each[1]])


@pytest.fixture(autouse=True)
def _pretended() -> Iterator[None]:
    with pretended():
        yield


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Two scenes with all that a data set can know, a mask among it."""
    pictures = SyntheticDoF(size=72, aperture=8, disparity_input="corrupted").pictures("test")
    return collate([pictures[0], pictures[1]])


def made(name: str, more: dict[str, Any]) -> BokehModel:
    torch.manual_seed(0)
    return tiny(name, **more).eval()


def on_both(run: Callable[[BokehModel, Batch], Any], model: BokehModel, batch: Batch) -> None:
    """Hold what ``run`` gives on the pretended device to what it gives on the CPU."""
    elsewhere = there(model)
    assert elsewhere.device.type == "pretend" or not list(model.parameters())
    torch.manual_seed(1)
    cpu = run(model, batch)
    torch.manual_seed(1)
    assert_same(cpu, run(elsewhere, there(batch)))


@pytest.mark.parametrize(("name", "more"), METHODS, ids=map(named, METHODS))
def test_renders_with_all_controls_and_with_none(name, more, batch) -> None:
    def run(model: BokehModel, batch: Batch) -> Any:
        image, disparity = batch["image"], batch["disparity"]
        least = {"disparity": disparity} if model.uses.disparity == "needed" else {}
        chosen = {"disparity": disparity, "focus": batch["focus"], "aperture": batch["aperture"], "mask": batch["mask"]}
        prepared = model.prepare(image, disparity, names=batch["name"])
        made = [model.render(image, **least), model.render(image, names=batch["name"], **chosen)]
        made += [model.refocus(prepared, (20.0, 30.0), 24.0), model.refocus(prepared, 0.25, preview=True)]
        return [astuple(rendering) for rendering in [*made, model.render_batch(batch)]]

    odd = {key: value[..., :65, :71] if key in PICTURE_KEYS else value for key, value in batch.items()}
    on_both(run, made(name, more), cast(Batch, odd))


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize(("name", "more"), METHODS, ids=map(named, METHODS))
def test_validates_and_shows_pictures(name, more, batch) -> None:
    def run(model: BokehModel, batch: Batch) -> Any:
        return [model.validation_scores(batch), model.panels(batch), model.test_step(batch, 0)["scores"]]

    on_both(run, made(name, more), batch)


@pytest.mark.parametrize(("name", "more"), TRAINED, ids=map(named, TRAINED))
def test_trains_every_stage(name, more, batch) -> None:
    def run(model: BokehModel, batch: Batch) -> Any:
        seen: list[Any] = []
        for stage in model.available:
            model.begin_stage(stage)
            model.train()
            optimiser = model.configure_optimizers()["optimizer"]
            terms = model.losses(stage, batch)
            total(terms).backward()
            optimiser.step()
            model.eval()
            weights = [value.clone() for value in model.state_dict().values()]
            seen += [terms, weights, model.validation_scores(batch)]
        return seen

    on_both(run, made(name, more), batch)
