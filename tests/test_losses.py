"""The published losses."""

from __future__ import annotations

import pytest
import torch

from bokehbench.losses import disparity_and_saliency_loss, normalised_loss


def test_normalised_loss_is_squared_over_absolute_error() -> None:
    """Eq. 5 at alpha = 1: ||e||_2^2 / ||e||_1, per image."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 2, 3, 8, 9, generator=generator)
    error = (a - b).abs().flatten(1)
    expected = (error.square().sum(1) / error.sum(1)).mean()
    assert normalised_loss(a, b).item() == pytest.approx(expected.item(), rel=1e-4)


def test_normalised_loss_of_a_perfect_picture_is_zero_with_finite_gradient() -> None:
    picture = torch.rand(1, 3, 4, 4, requires_grad=True)
    loss = normalised_loss(picture, picture.detach().clone())
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(picture.grad).all()


@pytest.mark.parametrize("detach", [True, False])
def test_gradient_of_small_errors(detach: bool) -> None:
    """With gradient through the weights, errors below N / 2 are pushed up; detached, none is (deeplens.md 5.1)."""
    error = torch.tensor([0.01, 1.0, 1.0, 1.0]).reshape(1, 1, 2, 2).requires_grad_()
    normalised_loss(error, torch.zeros(1, 1, 2, 2), detach=detach).backward()
    assert (error.grad.flatten()[0] >= 0).item() == detach


def test_depth_terms_use_only_their_own_images() -> None:
    disparity = torch.rand(2, 1, 4, 4)
    true = disparity.clone()
    true[1] = float("nan")
    mask = torch.full((2, 1, 4, 4), float("nan"))
    mask[1] = 1.0
    logits = torch.zeros(2, 1, 4, 4)
    has = torch.tensor([True, False])
    terms = disparity_and_saliency_loss(disparity, true, has, logits, mask, ~has)
    assert terms["disparity"].item() == 0
    assert terms["saliency"].item() == pytest.approx(0.6931, abs=1e-4)


def test_depth_terms_without_any_mask_keep_the_graph() -> None:
    disparity = torch.rand(1, 1, 4, 4, requires_grad=True)
    logits = torch.rand(1, 1, 4, 4, requires_grad=True)
    nothing = torch.tensor([False])
    terms = disparity_and_saliency_loss(disparity, disparity.detach(), ~nothing, logits, logits.detach(), nothing)
    sum(terms.values()).backward()
    assert logits.grad is not None
    assert terms["saliency"].item() == 0
