from __future__ import annotations

import pytest
import torch
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import MSSSIM
from bokehbench.metrics.ms_ssim import ms_ssim


def test_even_sizes_agree_with_torchmetrics(pair):
    # torchmetrics drops odd rows, so only sides that stay even can agree; its channels are averaged before the product.
    one, two = (x[:, :1, :176, :208].double() for x in pair)
    for i in range(2):
        theirs = multiscale_structural_similarity_index_measure(one[i : i + 1], two[i : i + 1], data_range=1.0)
        assert ms_ssim(one, two)[i].item() == pytest.approx(theirs.item(), abs=2e-4)


def test_equal_pictures_score_one_and_gradients_stay_finite_below_zero(pair):
    assert torch.allclose(ms_ssim(pair[1], pair[1]), torch.ones(2))
    inverted = (1 - pair[1]).requires_grad_()
    value = ms_ssim(inverted, pair[1])
    value.sum().backward()
    assert torch.equal(value, torch.zeros(2))
    assert inverted.grad.isfinite().all()


def test_the_metric_averages_images(pair):
    metric = MSSSIM()
    metric.update(*pair)
    assert metric.compute() == pytest.approx(ms_ssim(*pair).mean().item())


def test_five_scales_need_161_pixels():
    assert ms_ssim(torch.rand(1, 3, 161, 161), torch.rand(1, 3, 161, 161)).shape == (1,)
    with pytest.raises(BokehbenchError, match="needs 161 on each side"):
        ms_ssim(torch.zeros(1, 3, 160, 200), torch.zeros(1, 3, 160, 200))
