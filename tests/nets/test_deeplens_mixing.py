"""Eq. 2 of DeepLens."""

from __future__ import annotations

import torch
from torch import Tensor

from bokehbench.nets.deeplens import mix


def literal(features: Tensor, weights: Tensor) -> Tensor:
    """Eq. 2 as it reads, colour by colour."""
    weights = weights / (weights.sum(1, keepdim=True) + 2.2e-16)
    return torch.stack([(features[:, colour::3] * weights).sum(1) for colour in range(3)], 1)


def inputs(dtype: torch.dtype, channels: int = 5) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    features = torch.randn(2, 3 * channels, 4, 3, dtype=dtype, requires_grad=True)
    return features, torch.rand(2, channels, 4, 3, dtype=dtype, requires_grad=True)


def test_equals_the_equation() -> None:
    features, weights = inputs(torch.float32, 31)
    assert torch.allclose(mix(features, weights), literal(features, weights), atol=1e-6)


def test_equal_weights_give_the_mean_of_each_colour() -> None:
    features, _ = inputs(torch.float32, 31)
    mean = torch.stack([features[:, colour::3].mean(1) for colour in range(3)], 1)
    assert torch.allclose(mix(features, torch.full((2, 31, 4, 3), 0.2)), mean, atol=1e-6)


def test_gradients() -> None:
    assert torch.autograd.gradcheck(mix, inputs(torch.float64))


def test_gradient_of_one_input_alone() -> None:
    features, weights = inputs(torch.float64)
    whole = torch.autograd.grad(mix(features, weights).sum(), (features, weights))
    assert torch.equal(torch.autograd.grad(mix(features, weights.detach()).sum(), features)[0], whole[0])
    assert torch.equal(torch.autograd.grad(mix(features.detach(), weights).sum(), weights)[0], whole[1])


def test_dead_pixels_are_black_and_their_gradients_finite() -> None:
    features, weights = inputs(torch.float32)
    with torch.no_grad():
        weights[:, :, 0, 0] = 0
    out = mix(features, weights)
    assert torch.all(out[..., 0, 0] == 0)
    grads = torch.autograd.grad(out.sum(), (features, weights))
    assert all(bool(g.isfinite().all()) for g in grads)


def test_autocast_computes_in_float32() -> None:
    features, weights = inputs(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        out = mix(features.bfloat16(), weights.bfloat16())
    assert out.dtype == torch.float32
    assert torch.allclose(out, literal(features.bfloat16().float(), weights.bfloat16().float()), atol=1e-6)
    assert torch.autograd.grad(out.sum(), features)[0].dtype == torch.float32
