"""What is special about BokehMe: its sizes, its fusion, its two stages."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from methods import tiny
from torch import Tensor

from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.models.bokehme import BokehMe, brightened
from bokehbench.models.bokehme_training import near_steps
from bokehbench.models.stages import StageRecipe
from bokehbench.nets.bokehme import BokehMeNet, Passes


@pytest.fixture(scope="module")
def model() -> BokehMe:
    torch.manual_seed(0)
    return BokehMe(width=8, upsampling_width=8).eval()


def scene(height: int = 40, width: int = 56, batch: int = 2) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(1)
    disparity = torch.rand(batch, 1, 4, 5, generator=made)
    return torch.rand(batch, 3, height, width, generator=made), torch.nn.functional.interpolate(
        disparity, (height, width), mode="bilinear"
    )


@pytest.mark.parametrize(("largest", "calls"), [(0.3, 1), (1, 1), (1.99, 1), (2, 2), (4, 3), (7.99, 3), (8, 4)])
def test_number_of_passes(largest: float, calls: int) -> None:
    passes = Passes.of(1080, 1350, largest)
    assert len(passes.upsamplings) == calls
    assert passes.upsamplings[-1] == (1.0, (1080, 1350))
    assert passes.low == (int(1080 / max(largest, 1)), int(1350 / max(largest, 1)))


def test_published_sizes() -> None:
    assert [Passes.of(1080, 1350, 3.88).low, *(size for _, size in Passes.of(1080, 1350, 3.88).upsamplings)] == [
        (278, 347), (556, 695), (1080, 1350),
    ]  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.integers(8, 40), st.integers(8, 40), st.floats(0, 60))
def test_any_size_and_radius(height: int, width: int, aperture: float) -> None:
    torch.manual_seed(0)
    image, disparity = scene(height, width, 1)
    made = (
        BokehMe(width=4, upsampling_width=4)
        .eval()
        .blur(image, disparity, torch.tensor([0.3]), torch.tensor([aperture]))
    )
    assert made.shape == image.shape
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_pictures_of_a_batch_do_not_influence_each_other(model: BokehMe) -> None:
    image, disparity = scene()
    focus, aperture = torch.tensor([0.2, 0.8]), torch.tensor([5.0, 45.0])
    both = model.blur(image, disparity, focus, aperture)
    for i in range(2):
        one = model.blur(image[i : i + 1], disparity[i : i + 1], focus[i : i + 1], aperture[i : i + 1])
        torch.testing.assert_close(both[i : i + 1], one)


def test_the_error_map_chooses(model: BokehMe) -> None:
    image, disparity = scene()
    for made in model.fused(image, disparity, torch.tensor([0.2, 0.8]), torch.tensor([5.0, 12.0])):
        classical, neural = made.classical.clamp(0, 1), made.neural.clamp(0, 1)
        torch.testing.assert_close(type(made)(made.classical, made.neural, made.error * 0).image, classical)
        torch.testing.assert_close(type(made)(made.classical, made.neural, made.error * 0 + 1).image, neural)


def test_without_blur_the_classical_picture_is_the_photo_but_for_its_leak() -> None:
    image, _ = scene()
    made = BokehMeNet(4, 4)(image, torch.zeros(2, 1, 40, 56), 1.0)
    assert float((made.classical - image).abs().max()) < 3e-3


@pytest.mark.parametrize("gamma", [1.0, 2.2, 5.0])
def test_a_constant_picture_stays_constant(gamma: float) -> None:
    _, disparity = scene()
    image = torch.full((2, 3, 40, 56), 0.4)
    made = BokehMeNet(4, 4)(image, 30 * (disparity - 0.5), gamma)
    torch.testing.assert_close(made.classical, image, atol=1e-5, rtol=0)


def test_highlights() -> None:
    bright, dim = torch.ones(1, 3, 1, 1), torch.full((1, 3, 1, 1), 220 / 255)
    assert float(brightened(bright, torch.ones(1, 1, 1, 1), 0.4)[0, 0]) == pytest.approx(1.3517, abs=1e-4)
    torch.testing.assert_close(brightened(bright, torch.zeros(1, 1, 1, 1), 0.4), bright)
    torch.testing.assert_close(brightened(dim, torch.ones(1, 1, 1, 1), 0.4), dim)


def test_the_geometric_error_target_marks_depth_steps_alone() -> None:
    flat, step = torch.full((1, 1, 40, 40), 5.0), torch.full((1, 1, 40, 40), 5.0)
    step[..., 20:] = -5.0
    assert not near_steps(flat).any()
    marked = near_steps(step)[0, 0, 20]
    assert marked[15:25].all()
    assert not marked[:12].any()


def batch() -> dict[str, Tensor | list[str]]:
    data = SyntheticDoF(size=48, aperture=(2, 20), val_samples=1, test_samples=2, num_workers=0)
    data.setup("test")
    return next(iter(data.test_dataloader()))


@pytest.mark.parametrize(
    ("stage", "trained", "kept"), [("rendering", "small", "upsampling"), ("upsampling", "upsampling", "small")]
)
def test_a_stage_trains_its_own_network_and_learns_one_batch(stage: str, trained: str, kept: str) -> None:
    torch.manual_seed(0)
    method = tiny("bokehme")
    for each in method.available:
        method.begin_stage(each)
        if each.name == stage:
            break
    before = {name: value.clone() for name, value in method.net.state_dict().items()}
    optimiser = torch.optim.Adam([p for p in method.parameters() if p.requires_grad], lr=2e-3)
    one, losses = batch(), []
    for _ in range(60):
        torch.manual_seed(0)
        loss = sum(method.losses(method.stage, one).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.8 * losses[0]
    after = method.net.state_dict()
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert {name for name in before if name.startswith(f"{kept}.")} <= same
    assert not any(name.startswith(f"{trained}.") for name in same)


def test_upsampling_alone_wants_a_trained_first_stage() -> None:
    method = BokehMe(width=4, upsampling_width=4, stages=["upsampling"])
    with pytest.raises(BokehbenchError, match=r"--model\.weights"):
        method.begin_stage(method.stages[0])


def test_validation_shows_both_renderings_alone() -> None:
    method = tiny("bokehme").eval()
    scores = method.validation_scores(batch())
    assert {"psnr", "identity_psnr", "classical_psnr", "neural_psnr"} <= scores.keys()


def test_gammas_outside_the_networks_range_are_refused() -> None:
    recipe = StageRecipe(steps=1, batch_size=1, learning_rate=1e-3)
    with pytest.raises(BokehbenchError, match="gamma"):
        BokehMe(gamma=6.0, rendering=recipe)
