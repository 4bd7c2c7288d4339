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
@pytest.mark.parametrize("alpha", [0, 0.5, 1, 1.5, 3, 6])
def test_the_exponent_of_the_error_weights(alpha: float, detach: bool) -> None:
    """Eq. 4: sum |e|^(alpha + 1) / sum |e|^alpha per image, and its derivative, with the weights' or without."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(2, 3, 8, 9, generator=generator, dtype=torch.float64)
    away = torch.rand(2, 3, 8, 9, generator=generator, dtype=torch.float64) * 0.5 + 0.1
    prediction = (target + away * torch.where(target > 0.5, 1, -1)).requires_grad_()
    loss = normalised_loss(prediction, target, detach=detach, alpha=alpha)
    loss.backward()

    error = away.flatten(1)
    above, below = (error ** (alpha + 1)).sum(1, keepdim=True), (error**alpha).sum(1, keepdim=True)
    assert loss.item() == pytest.approx(float((above / below).mean()), rel=2e-5)
    slope = error**alpha / below
    if not detach:
        slope = ((alpha + 1) * error**alpha * below - alpha * error ** (alpha - 1) * above) / below**2
    wanted = slope.reshape(target.shape) * (prediction - target).detach().sign() / 2
    torch.testing.assert_close(prediction.grad, wanted, rtol=1e-4, atol=2e-8)


@pytest.mark.parametrize("alpha", [0, 0.5, 1, 2, 6])
def test_any_exponent_leaves_a_perfect_picture_alone(alpha: float) -> None:
    picture = torch.rand(1, 3, 4, 4, requires_grad=True)
    loss = normalised_loss(picture, picture.detach().clone(), alpha=alpha)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(picture.grad).all()
    small = normalised_loss(picture, picture.detach() + 1e-3, alpha=alpha).item()
    assert small == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize("detach", [True, False])
def test_the_default_exponent_changes_no_bit(detach: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    one, other = (torch.rand(2, 3, 16, 16, generator=generator).requires_grad_() for _ in range(2))
    error = (one - other.detach()).abs().flatten(1)
    weight = error.detach() if detach else error
    plain = ((weight * error).mean(1) / (weight.mean(1) + 1e-6)).mean()
    (before,) = torch.autograd.grad(plain, one)
    loss = normalised_loss(one, other.detach(), detach=detach)
    (after,) = torch.autograd.grad(loss, one)
    assert torch.equal(loss, plain)
    assert torch.equal(before, after)


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
