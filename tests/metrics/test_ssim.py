from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import correlate1d
from skimage.metrics import structural_similarity

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import SSIM, SSIM3D
from bokehbench.metrics._ssim_function import ssim_terms
from bokehbench.metrics.ssim import ssim
from bokehbench.metrics.ssim_3d import ssim_3d
from bokehbench.metrics.ssim_terms import ssim_map
from bokehbench.metrics.ssim_window import window_of

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5}


@pytest.mark.parametrize(
    ("window", "covariance", "options"),
    [
        ("uniform", None, {}),
        ("uniform", "population", {"use_sample_covariance": False}),
        ("gaussian", None, {**GAUSSIAN, "use_sample_covariance": False}),
        ("gaussian", "sample", GAUSSIAN),
    ],
)
def test_ssim_is_scikit_images_per_image(pair, window, covariance, options):
    expected = [
        structural_similarity(two, one, data_range=1, channel_axis=0, **options)
        for one, two in zip(*(x.double().numpy() for x in pair), strict=True)
    ]
    assert np.allclose(ssim(*(x.double() for x in pair), window, covariance), expected, atol=1e-12)
    assert np.allclose(ssim(*pair, window, covariance), expected, atol=1e-6), "float32 stays within 1e-6 of float64"


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_nearly_flat_pictures_keep_their_precision_in_float32(level):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(-1, 2, (2, 1, 3, 300, 400), generator=generator) / 255
    one, two = (level + noise).clamp(0, 1)
    for window in ("uniform", "gaussian"):
        assert ssim(one, two, window).item() == pytest.approx(ssim(one.double(), two.double(), window).item(), abs=1e-6)


def test_equal_pictures_score_one_and_inverted_ones_below_zero(pair):
    assert torch.allclose(ssim(pair[1], pair[1]), torch.ones(2))
    assert (ssim(1 - pair[1], pair[1]) < 0).all()


def test_bands_do_not_show(pair, monkeypatch):
    whole = ssim(*pair)
    monkeypatch.setattr("bokehbench.metrics.ssim_terms.BAND", 20 * pair[0].shape[-1])
    assert torch.allclose(ssim(*pair), whole, atol=1e-6)


def test_the_map_has_the_mean_as_its_mean(pair):
    window = window_of("gaussian")
    values = ssim_map(*pair, window)
    assert values.shape == (2, 3, 170, 203)
    assert torch.allclose(values.mean((1, 2, 3)), ssim(*pair, "gaussian"), atol=1e-6)


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_gradients_of_both_parts_and_both_pictures(window):
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(1, 2, 17, 15, generator=generator, dtype=torch.float64, requires_grad=True) for _ in "xy"]
    assert torch.autograd.gradcheck(lambda x, y: ssim_terms(x, y, window_of(window)), pictures)


def test_downsampling_is_average_pooling_by_the_256th_part(pair):
    large = [F.interpolate(x, (640, 700), mode="bilinear") for x in pair]
    halved = [F.avg_pool2d(x, 2) for x in large]  # round(640 / 256) = 2
    assert torch.allclose(ssim(*large, "gaussian", downsample=True), ssim(*halved, "gaussian"))
    assert torch.equal(ssim(*pair, downsample=True), ssim(*pair)), "small pictures stay as they are"


def test_ssim_3d_is_a_window_over_height_width_and_channel(pair):
    x, y = (p[0].permute(1, 2, 0).double().numpy() for p in pair)
    taps = np.array(window_of("gaussian").taps)

    def mean(volume):
        for axis in range(3):
            volume = correlate1d(volume, taps, axis, mode="nearest")
        return volume

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    value = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    assert ssim_3d(*(p.double() for p in pair))[0].item() == pytest.approx(value.mean(), abs=1e-10)
    assert ssim_3d(*pair)[0].item() == pytest.approx(value.mean(), abs=1e-6)


def test_metrics_keep_per_image_values(pair):
    for metric, function in ((SSIM("gaussian"), lambda *p: ssim(*p, "gaussian")), (SSIM3D(), ssim_3d)):
        metric.update(*pair)
        metric.update(pair[0][:1], pair[1][:1])
        assert torch.allclose(metric.per_image, torch.cat([function(*pair), function(pair[0][:1], pair[1][:1])]))
        assert metric.compute() == pytest.approx(metric.per_image.mean().item())


def test_too_small_pictures_and_unknown_windows_are_refused():
    small = torch.zeros(1, 3, 10, 40)
    with pytest.raises(BokehbenchError, match="needs 11 on each side"):
        ssim(small, small, "gaussian")
    with pytest.raises(BokehbenchError, match="did you mean 'gaussian'"):
        SSIM("gausian").update(small, small)
    with pytest.raises(BokehbenchError, match="no covariance 'biased'"):
        ssim(small, small, covariance="biased")
