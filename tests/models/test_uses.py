"""What a method says that it obeys is what it obeys; preparing a photo once changes nothing of its pictures."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from methods import NAMES, tiny

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.models.rendering import Rendering
from bokehbench.models.uses import Uses
from bokehbench.optics import signed_defocus

#: Constructor arguments on which what a method obeys depends.
VARIANTS = [("pynet", {"depth_input": False}), ("pix2pix", {"disparity_input": True})]
METHODS = [*((name, {}) for name in NAMES), *VARIANTS]
SIZE = (64, 80)


@pytest.fixture(scope="module", params=METHODS, ids=lambda each: "-".join([each[0], *each[1]]))
def model(request: pytest.FixtureRequest) -> BokehModel:
    torch.manual_seed(0)
    name, arguments = request.param
    return tiny(name, **arguments).eval()


def photo() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A picture of smooth colours, a map that rises from left to right, and one that falls from top to bottom."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 9, 11, generator=generator)
    image = torch.nn.functional.interpolate(coarse, SIZE, mode="bicubic").clamp(0, 1)
    across = torch.linspace(0, 1, SIZE[1]).expand(1, 1, *SIZE).contiguous()
    down = torch.linspace(1, 0, SIZE[0])[:, None].expand(1, 1, *SIZE).contiguous()
    return image, across, down


def with_map(model: BokehModel) -> dict[str, torch.Tensor]:
    """A map for the methods that look at one."""
    return {} if model.uses.disparity == "ignored" else {"disparity": photo()[1]}


def test_focus_is_obeyed_or_ignored_as_it_says(model) -> None:
    near, far = (model.render(photo()[0], focus=at, aperture=8.0, **with_map(model)) for at in (0.9, 0.1))
    assert torch.equal(near.image, far.image) == (not model.uses.focus)
    assert (near.focus is not None) == model.uses.focus
    assert ("focus ignored" in near.note or "focus and aperture ignored" in near.note) == (not model.uses.focus)


def test_aperture_is_obeyed_or_ignored_as_it_says(model) -> None:
    if not model.uses.focus and model.uses.aperture:  # untrained, such a method finds all of the photo sharp
        torch.nn.init.constant_(model.net.defocus.head[-1].bias, 1.0)
    narrow, wide = (model.render(photo()[0], focus=0.2, aperture=px, **with_map(model)) for px in (1.0, 8.0))
    assert torch.equal(narrow.image, wide.image) == (not model.uses.aperture)
    assert (wide.aperture is not None) == model.uses.aperture
    assert ("aperture ignored" in wide.note) == (not model.uses.aperture)


def test_a_map_is_obeyed_or_ignored_as_it_says(model) -> None:
    model = deepcopy(model)
    with torch.no_grad():
        for weight in model.parameters():  # a network that begins as the photo hides what it looks at
            weight.add_(0.02 * torch.randn_like(weight))
    image, across, down = photo()
    point = {"focus": (70.0, 60.0), "aperture": 8.0}
    one, other = (model.render(image, disparity=each, **point) for each in (across, down))
    assert torch.equal(one.image, other.image) == (model.uses.disparity == "ignored")
    if model.uses.disparity == "ignored":
        assert one.disparity is None
        assert "disparity" in one.note
        assert "ignored" in one.note
    else:
        assert "given disparity" in one.note or "depth: given" in one.note
        assert one.disparity.shape == (1, 1, *SIZE)


def test_without_a_map_it_does_as_it_says(model) -> None:
    image = photo()[0]
    if model.uses.disparity == "needed":
        with pytest.raises(BokehbenchError, match="disparity map") as refused:
            model.render(image, focus=0.5, aperture=8.0)
        assert str(refused.value).count(". ") == 0
        with pytest.raises(BokehbenchError, match="--disparity"):
            model.prepare(image)
        return
    rendering = model.render(image, focus=0.5, aperture=8.0)
    assert rendering.image.shape == image.shape
    assert (rendering.disparity is not None) == (model.uses.disparity == "own")
    assert (model.disparity(image) is not None) == (model.uses.disparity == "own")


def test_a_mask_is_obeyed_or_ignored_as_it_says(model) -> None:
    image, across, down = photo()
    masks = [(each > 0.5).float() for each in (across, down)]
    one, other = (model.render(image, focus=0.2, aperture=8.0, mask=mask, **with_map(model)).image for mask in masks)
    assert torch.equal(one, other) == (not model.uses.mask)


def test_a_preview_is_there_as_it_says(model) -> None:
    image = torch.nn.functional.interpolate(photo()[0], (48, 660))
    given = {key: torch.nn.functional.interpolate(value, (48, 660)) for key, value in with_map(model).items()}
    if not model.uses.preview:
        image, given = photo()[0], with_map(model)
    prepared = model.prepare(image, **given)
    quick, whole = (model.refocus(prepared, focus=0.5, preview=preview) for preview in (True, False))
    assert (quick.image.shape != whole.image.shape) == model.uses.preview
    assert whole.image.shape == image.shape


def test_a_prepared_photo_is_rendered_with_any_focus_and_aperture_as_render_does(model) -> None:
    image = photo()[0]
    prepared = model.prepare(image, **with_map(model))
    for chosen in ({"focus": 0.2, "aperture": 3.0}, {"focus": 0.8, "aperture": 8.0}, {"focus": 0.2, "aperture": 3.0}):
        prepared_once, rendered = model.refocus(prepared, **chosen), model.render(image, **chosen, **with_map(model))
        assert torch.equal(prepared_once.image, rendered.image)
        assert prepared_once.note == rendered.note


def test_a_rendering_says_what_was_used(model) -> None:
    rendering = model.render(photo()[0].expand(2, -1, -1, -1), focus=0.25, aperture=4.0, **two(with_map(model)))
    assert rendering.note
    if model.uses.focus:
        assert rendering.focus.tolist() == [0.25, 0.25]
        assert "focus at disparity 0.250" in rendering.note
    if model.uses.aperture:
        assert rendering.aperture.tolist() == pytest.approx([4.0, 4.0])
        assert "aperture 4.0 px" in rendering.note
    if rendering.disparity is not None:
        assert rendering.disparity.shape == (2, 1, *SIZE)


def two(given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: value.expand(2, -1, -1, -1) for key, value in given.items()}


def test_nothing_is_rendered_in_training_mode(model) -> None:
    if not model.trainable:
        return
    model.train()
    try:
        with pytest.raises(RuntimeError, match=r"model\.eval"):
            model.render(photo()[0], **with_map(model))
    finally:
        model.eval()


class Minimal(BokehModel):
    """What somebody writes who adds a method: what it uses, and a picture."""

    title, paper = "Minimal", "none"
    trainable = False
    uses = Uses(disparity="own")

    def disparity(self, image: torch.Tensor, names: list[str] | None = None) -> torch.Tensor:
        return image.mean(1, keepdim=True)

    def blur(self, image, disparity, focus, aperture) -> torch.Tensor:
        radius = signed_defocus(disparity, focus, aperture).abs()
        return torch.lerp(image, image.mean((2, 3), keepdim=True), (radius / 8).clamp(0, 1))


def test_a_method_of_a_few_lines_gets_the_rest_from_the_base() -> None:
    image, across, _ = photo()
    model = Minimal()
    rendering = model.render(image, focus=(10.0, 20.0))
    assert isinstance(rendering, Rendering)
    assert rendering.focus == pytest.approx(float(image[0, :, 20, 10].mean()))
    assert rendering.aperture == pytest.approx(0.025 * SIZE[1])
    assert rendering.note.startswith("own disparity, focus at disparity ")
    batch: Batch = {"image": image, "disparity": across, "focus": torch.tensor([0.5]), "name": ["a"]}
    assert "given disparity, focus at disparity 0.500" in model.render_batch(batch).note
    assert torch.equal(model.own_disparity(batch), image.mean(1, keepdim=True))
