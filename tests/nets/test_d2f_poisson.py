"""Loss terms of D2F's training: zero where they should be, right on hand-made pictures, gradients where wanted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bokehbench.nets.d2f.fusion import fuse
from bokehbench.nets.d2f.poisson import (
    forward_differences,
    initial_mask_loss,
    initial_mask_weight,
    poisson_gradient_loss,
    range_penalty,
)


def picture(seed: int) -> Tensor:
    return torch.rand(2, 3, 12, 15, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("form", ["gradient", "laplacian"])
def test_a_constant_offset_or_an_unmixed_picture_costs_nothing(form: str) -> None:
    image, rendering = picture(0), picture(1)
    sharp, blurred = torch.ones(2, 1, 12, 15), torch.zeros(2, 1, 12, 15)
    assert poisson_gradient_loss(image + 0.3, image, rendering, sharp, form).item() < 1e-6  # type: ignore[arg-type]
    assert poisson_gradient_loss(rendering, image, rendering, blurred, form).item() < 1e-6  # type: ignore[arg-type]
    assert poisson_gradient_loss(rendering, image, rendering, sharp, form).item() > 0.1  # type: ignore[arg-type]


def test_a_step_in_the_mask_costs_the_jump_between_the_pictures() -> None:
    image, rendering = torch.ones(1, 3, 4, 6), torch.zeros(1, 3, 4, 6)
    mask = torch.zeros(1, 1, 4, 6)
    mask[..., :3] = 1
    loss = poisson_gradient_loss(fuse(image, rendering, mask), image, rendering, mask)
    # 4 rows jump by 1 once, of 4*5 horizontal and 3*6 vertical differences.
    assert loss.item() == pytest.approx(4 / 38)


def test_the_laplacian_form_is_the_laplacian_of_the_difference() -> None:
    image, rendering, fused, mask = picture(0), picture(1), picture(2), torch.ones(2, 1, 12, 15)
    difference = fused - image
    inner = difference[..., 1:-1, 1:-1]
    neighbours = difference[..., :-2, 1:-1] + difference[..., 2:, 1:-1]
    neighbours = neighbours + difference[..., 1:-1, :-2] + difference[..., 1:-1, 2:]
    loss = poisson_gradient_loss(fused, image, rendering, mask, "laplacian")
    assert loss.item() == pytest.approx((neighbours - 4 * inner).abs().mean().item(), rel=1e-5)


def test_only_the_fused_picture_is_trained() -> None:
    mask, rendering, mask_init = (t.requires_grad_() for t in (picture(3)[:, :1], picture(1), picture(4)[:, :1]))
    image = picture(0)
    fused = fuse(image, rendering.detach(), mask)
    (poisson_gradient_loss(fused, image, rendering, mask_init) + initial_mask_loss(mask, mask_init)).backward()
    assert mask.grad is not None
    assert mask.grad.abs().sum() > 0
    assert rendering.grad is None
    assert mask_init.grad is None


def test_forward_differences() -> None:
    ramp = torch.arange(5.0).expand(1, 1, 3, 5)
    horizontal, vertical = forward_differences(ramp)
    assert horizontal.shape == (1, 1, 3, 4)
    assert vertical.shape == (1, 1, 2, 5)
    assert horizontal.unique().tolist() == [1]
    assert vertical.unique().tolist() == [0]


def test_the_warm_up_ends_after_two_epochs() -> None:
    assert [initial_mask_weight(e) for e in (0, 1, 2, 5)] == pytest.approx([0.1, 0.05, 0, 0])


def test_the_range_penalty_pulls_back_from_outside_only() -> None:
    x = torch.tensor([-0.5, 0.5, 1.25, 1.0], requires_grad=True)
    loss = range_penalty(x)
    loss.backward()
    assert loss.item() == pytest.approx(0.75 / 4)
    assert x.grad is not None
    assert x.grad.tolist() == [-0.25, 0, 0.25, 0]
