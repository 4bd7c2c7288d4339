from __future__ import annotations

import pytest
import torch
from kornia.filters import gaussian_blur2d

from bokehbench.metrics import BlurAmount
from bokehbench.metrics.blur_amount import blur_amount, gradient_energy


def test_it_orders_pictures_by_their_blur(pair):
    _, sharp = pair
    target = gaussian_blur2d(sharp, 13, (2.0, 2.0))
    values = [blur_amount(gaussian_blur2d(sharp, 25, (s, s)), target).mean().item() for s in (0.5, 1.0, 2.0, 3.0, 4.0)]
    assert values == sorted(values)
    assert values[0] < -1
    assert values[2] == pytest.approx(0, abs=0.05)
    assert values[4] > 1


def test_a_factor_of_two_in_energy_is_one(pair):
    _, target = pair
    fainter = 0.5 + (target - 0.5) / 2**0.5
    assert torch.allclose(blur_amount(fainter, target), torch.ones(2), atol=0.01)
    assert torch.allclose(gradient_energy(fainter), gradient_energy(target) / 2)


def test_only_the_out_of_focus_part_counts(pair):
    _, target = pair
    mask = torch.zeros(2, 1, *target.shape[-2:])
    mask[..., :100] = 1
    blurred = gaussian_blur2d(target, 13, (2.0, 2.0))
    assert torch.allclose(blur_amount(torch.where(mask > 0, blurred, target), target, mask), torch.zeros(2))
    assert (blur_amount(torch.where(mask > 0, target, blurred), target, mask) > 1).all()
    assert blur_amount(target, target, torch.ones_like(mask)).isnan().all()


def test_flat_pictures_are_equal_and_the_metric_takes_a_mask_or_none(pair):
    grey = torch.full((1, 3, 40, 40), 0.5)
    assert blur_amount(grey, grey).item() == 0
    metric = BlurAmount()
    metric.update(*pair)
    metric.update(*pair, torch.zeros(2, 1, *pair[0].shape[-2:]))
    assert metric.per_image[:2] == pytest.approx(metric.per_image[2:], abs=1e-5)
