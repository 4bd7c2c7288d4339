from __future__ import annotations

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import PSNR
from bokehbench.metrics.prepare import to_8bit
from bokehbench.metrics.psnr import psnr


def test_psnr_is_scikit_images_per_image(pair):
    prediction, target = pair
    for one, two, value in zip(prediction.double(), target.double(), psnr(*(x.double() for x in pair)), strict=True):
        assert value.item() == pytest.approx(peak_signal_noise_ratio(two.numpy(), one.numpy(), data_range=1), abs=1e-10)
    assert torch.allclose(psnr(prediction * 255, target * 255, peak=255), psnr(prediction, target), atol=1e-4)


def test_equal_pictures_are_infinitely_good(pair):
    assert psnr(pair[1], pair[1]).isposinf().all()


def test_the_metric_averages_decibels_unless_told_to_pool(pair):
    each, pooled = PSNR(), PSNR(pooling="global")
    for i in range(2):
        each.update(pair[0][i : i + 1], pair[1][i : i + 1])
        pooled.update(pair[0][i : i + 1], pair[1][i : i + 1])
    values = psnr(*pair)
    assert torch.equal(each.per_image, values)
    assert each.compute() == pytest.approx(values.mean().item())
    mse = ((pair[0] - pair[1]) ** 2).mean()
    assert pooled.compute() == pytest.approx(-10 * mse.log10().item(), abs=1e-4)
    assert pooled.compute() < each.compute()


@pytest.mark.parametrize(
    ("prediction", "target", "words"),
    [
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9), "same size"),
        (torch.zeros(3, 8, 8), torch.zeros(3, 8, 8), "B C H W"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.zeros(1, 3, 8, 8), "divide 8-bit values by 255"),
        (torch.full((1, 3, 8, 8), torch.nan), torch.zeros(1, 3, 8, 8), "prediction holds NaN"),
        (torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), torch.inf), "target holds NaN or infinite"),
    ],
)
def test_pictures_that_cannot_be_compared_are_refused(prediction, target, words):
    with pytest.raises(BokehbenchError, match=words):
        psnr(prediction, target)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_unknown_pooling_and_empty_sets_are_named():
    with pytest.raises(BokehbenchError, match="did you mean 'global'"):
        PSNR(pooling="globl")
    with pytest.raises(BokehbenchError, match="scored no picture"):
        PSNR().compute()


def test_to_8bit_rounds_clamps_and_keeps_what_is_8_bit_already():
    levels = torch.arange(256) / 255
    assert torch.equal(to_8bit(levels), levels)
    assert torch.equal(to_8bit(levels, truncate=True), levels)
    values = torch.tensor([-0.1, 0.6 / 255, 1.4 / 255, 1.2])
    assert torch.allclose(to_8bit(values) * 255, torch.tensor([0.0, 1.0, 1.0, 255.0]))
    assert torch.allclose(to_8bit(values, truncate=True) * 255, torch.tensor([0.0, 0.0, 1.0, 255.0]))
    assert values[0] == -0.1, "the argument is left alone"
