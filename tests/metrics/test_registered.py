from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import GainCompensatedPSNR, RegisteredPSNR
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.registered import gain_compensated_psnr, registered_psnr
from bokehbench.metrics.translation import estimate_shift, translate


def smooth_scene(size: int = 720) -> torch.Tensor:
    small = torch.rand(1, 3, size // 12, size // 12, generator=torch.Generator().manual_seed(5))
    return F.interpolate(small, (size, size), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize(("down", "right"), [(3, -2), (-7, 7), (0.5, 0.25), (-5.3, 6.8)])
def test_shifts_are_found_to_a_twentieth_of_a_pixel_at_another_exposure(down, right):
    # Shifted by an exact eighth-of-a-pixel method: crop a 20x finer picture, then average.
    fine, step = smooth_scene(), 20
    rows, columns = round(down * step), round(right * step)
    middle = F.interpolate(fine, scale_factor=5, mode="bilinear")
    fixed = F.avg_pool2d(middle, step)
    moved = F.avg_pool2d(torch.roll(middle, (-rows, -columns), (2, 3)), step)
    found = estimate_shift(moved[0] * 0.8 + 0.03, fixed[0], 9)
    assert found == pytest.approx((down, right), abs=0.05)


def test_translate_by_whole_pixels_is_exact():
    picture = torch.rand(1, 3, 20, 24)
    assert torch.equal(translate(picture, 2, -3, 5), picture[..., 3:13, 8:22])
    assert torch.equal(translate(picture, 0, 0, 5), picture[..., 5:-5, 5:-5])


def test_registration_undoes_a_shift_and_never_hurts(pair):
    _, target = pair
    prediction = torch.roll(target, (4, -3), (2, 3))
    assert (registered_psnr(prediction, target, reach=6) > 50).all()
    inside = (..., slice(8, -8), slice(8, -8))
    assert (registered_psnr(*pair, reach=6) >= psnr(pair[0][inside], pair[1][inside])).all()


def test_gain_compensation_undoes_another_exposure(pair):
    _, target = pair
    prediction = target * torch.tensor([0.7, 0.8, 0.9]).reshape(1, 3, 1, 1)
    assert (gain_compensated_psnr(prediction, target) > 100).all()
    assert (gain_compensated_psnr(*pair) >= psnr(*pair)).all()
    both = torch.roll(prediction, (4, -3), (2, 3))
    assert (registered_psnr(both, target, reach=6) < 25).all()
    assert (registered_psnr(both, target, reach=6, gain=True) > 50).all()


def test_black_and_flat_pictures_have_a_value():
    black, grey = torch.zeros(1, 3, 64, 64), torch.full((1, 3, 64, 64), 0.5)
    for one, two in ((black, grey), (grey, black), (black, black)):
        assert not registered_psnr(one, two, reach=4, gain=True).isnan().any()
        assert not gain_compensated_psnr(one, two).isnan().any()


def test_metrics_and_bad_input(pair):
    for metric, values in (
        (GainCompensatedPSNR(), gain_compensated_psnr(*pair)),
        (RegisteredPSNR(reach=5, gain=True), registered_psnr(*pair, reach=5, gain=True)),
    ):
        metric.update(*pair)
        assert torch.allclose(metric.per_image, values)
    with pytest.raises(BokehbenchError, match="needs 81 on each side"):
        registered_psnr(torch.zeros(1, 3, 80, 80), torch.zeros(1, 3, 80, 80))
    with pytest.raises(BokehbenchError, match="at least 1 pixel"):
        RegisteredPSNR(reach=0).update(*pair)
