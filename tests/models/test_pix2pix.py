"""pix2pix as a method: two networks in one optimiser, focus and aperture as inputs."""

from __future__ import annotations

import pytest
import torch
from methods import tiny

from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.losses import total
from bokehbench.models import Pix2Pix


def batch(count: int = 2, size: int = 64) -> dict:
    data = SyntheticDoF(size=size, aperture=8, val_samples=count, num_workers=0)
    data.build()
    items = [data.val_set[number] for number in range(count)]
    joined = {key: torch.stack([item[key] for item in items]) for key in items[0] if key != "name"}
    return {**joined, "name": [item["name"] for item in items]}


def ready(**options: object) -> Pix2Pix:
    torch.manual_seed(0)
    model = tiny("pix2pix", **options)
    assert isinstance(model, Pix2Pix)
    model.begin_stage(model.stages[0])
    return model.train()


def trained(model: Pix2Pix, given: dict, steps: int) -> Pix2Pix:
    optimiser = torch.optim.Adam(model.parameter_groups(model.stages[0]), lr=2e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        total(model.losses(model.stages[0], given)).backward()
        optimiser.step()
    return model.eval()


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_each_network_learns_from_its_own_loss_alone(norm) -> None:
    model = ready(norm=norm)
    terms = model.losses(model.stages[0], batch())
    assert set(terms) == {"l1", "adversarial", "discriminator"}
    networks = {"generator": model.net, "discriminator": model.discriminator}
    reached = {}
    for term, value in terms.items():
        model.zero_grad()
        value.backward(retain_graph=True)
        reached[term] = {
            name for name, net in networks.items() if any(p.grad is not None and p.grad.any() for p in net.parameters())
        }
    assert reached == {"l1": {"generator"}, "adversarial": {"generator"}, "discriminator": {"discriminator"}}


def test_judging_for_the_generator_leaves_the_discriminators_statistics() -> None:
    model = ready(norm="batch")
    before = {name: value.clone() for name, value in model.discriminator.named_buffers()}
    assert before
    x = torch.rand(2, 5, 64, 64)
    model.judged(x, torch.rand(2, 3, 64, 64))
    assert all(torch.equal(value, before[name]) for name, value in model.discriminator.named_buffers())


def test_adam_has_the_papers_momentum() -> None:
    model = ready()
    optimiser = model.configure_optimizers()["optimizer"]
    assert {group["betas"] for group in optimiser.param_groups} == {(0.5, 0.999)}


def test_without_adversary_it_is_l1_alone() -> None:
    model = ready(adversarial_weight=0.0)
    assert set(model.losses(model.stages[0], batch())) == {"l1", "discriminator"}


def test_it_overfits_one_scene() -> None:
    given = batch(count=1)
    model = trained(ready(norm="instance", dropout=0.0), given, 250)
    scores = model.rendering_scores(given, model.sample(given))
    assert scores["psnr"] > scores["identity_psnr"]


def test_focus_and_aperture_matter_once_trained() -> None:
    """One picture with two targets, told apart by focus and aperture alone."""
    one = batch(count=1)
    given = {
        "image": one["image"].repeat(2, 1, 1, 1),
        "bokeh": torch.cat((one["image"], torch.full_like(one["image"], 0.5))),
        "focus": torch.tensor([0.1, 0.9]),
        "aperture": torch.tensor([2.0, 8.0]),
        "name": ["a", "b"],
    }
    model = trained(ready(norm="batch", dropout=0.0), given, 60)
    image = one["image"]
    same = model.render(image, focus=0.1, aperture=2.0).image
    for other in (
        model.render(image, focus=0.9, aperture=2.0).image,
        model.render(image, focus=0.1, aperture=8.0).image,
    ):
        assert (same - other).abs().mean() > 0.01


def test_aperture_is_pixels_so_a_crop_means_the_same() -> None:
    model = ready().eval()
    focus, aperture = torch.tensor([0.3]), torch.tensor([4.0])
    whole, crop = (model.network_input(torch.rand(1, 3, s, s), focus, aperture, None) for s in (64, 32))
    assert whole[:, 4].unique() == crop[:, 4].unique() == pytest.approx(4.0 / 16.0)
    assert whole[:, 3].unique() == crop[:, 3].unique() == pytest.approx(2 * 0.3 - 1)


def test_focus_comes_from_the_map_else_from_the_default() -> None:
    model = ready().eval()
    image, ramp = torch.rand(1, 3, 40, 50), torch.linspace(0, 1, 50).expand(1, 1, 40, 50)
    assert torch.equal(model.render(image).image, model.render(image, focus=1.0, aperture=16.0).image)
    at_centre = model.render(image, focus=float(ramp[0, 0, 20, 25])).image
    assert torch.equal(model.render(image, disparity=ramp).image, at_centre)
    assert torch.equal(model.render(image, disparity=ramp, focus=(25.0, 20.0)).image, at_centre)
    with pytest.raises(BokehbenchError, match="--disparity"):
        model.render(image, focus=(25.0, 20.0))
    assert "disparity 1.000, aperture 20.0 px, trained for 16 px" in model.render(image, aperture=20.0).note


def test_a_disparity_input_is_used_and_asked_for() -> None:
    model = ready(disparity_input=True)
    assert "disparity" in model.stages[0].needs
    model.eval()
    image = torch.rand(1, 3, 64, 64)
    with pytest.raises(BokehbenchError, match="--disparity"):
        model.render(image, focus=0.5)
    near, far = (model.render(image, disparity=torch.full((1, 1, 64, 64), d), focus=0.5).image for d in (0.9, 0.1))
    assert not torch.equal(near, far)


def test_pictures_too_small_for_the_discriminator_are_refused() -> None:
    model = ready()
    with pytest.raises(BokehbenchError, match=r"--model\.translation\.height"):
        model.losses(model.stages[0], batch(size=24))


def test_unusable_options_are_named() -> None:
    for option, value in (("max_radius", 0.0), ("default_focus", 2.0), ("dropout", 1.0)):
        with pytest.raises(BokehbenchError, match=rf"--model\.{option}"):
            tiny("pix2pix", **{option: value})


def test_the_discriminator_is_no_part_of_inference() -> None:
    model = tiny("pix2pix")
    assert [type(module).__name__ for module in model.inference_modules()] == ["Generator"]
    assert tiny("pynet").inference_modules()[0].__class__.__name__ == "PyNET"
