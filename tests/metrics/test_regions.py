from __future__ import annotations

import pytest
import torch

from bokehbench.errors import BokehbenchError
from bokehbench.metrics import RegionPSNR, RegionSSIM
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.regions import in_focus_from_disparity, region_psnr, region_ssim, regions
from bokehbench.metrics.ssim import ssim


def square(height: int = 180, width: int = 213) -> torch.Tensor:
    mask = torch.zeros(2, 1, height, width)
    mask[:, :, 60:120, 70:140] = 1
    return mask


def test_the_three_regions_are_a_partition_around_the_outline():
    parts = regions(square(), band=5 / 180)
    assert sum(part.int() for part in parts.values()).eq(1).all()
    assert parts["in-focus"].sum() == 2 * 50 * 60
    assert (~parts["out-of-focus"]).sum() == 2 * 70 * 80
    assert parts["in-focus"][0, 0, 65, 75]
    assert parts["border"][0, 0, 64, 75]
    assert parts["border"][0, 0, 55, 75]


def test_errors_count_where_they_are(pair):
    _, target = pair
    where = regions(square())
    for name in where:
        prediction = target + 0.1 * where[name]
        values = region_psnr(prediction, target, square())
        assert torch.allclose(values[name], torch.full((2,), 20.0), atol=1e-3)
        assert all(values[other].isposinf().all() for other in where if other != name)
        noise = torch.rand(target.shape, generator=torch.Generator().manual_seed(0))
        similar = region_ssim(torch.where(where[name], noise, target), target, square())
        assert all((similar[name] < similar[other]).all() for other in where if other != name)


def test_one_region_over_everything_is_the_plain_score(pair):
    nothing = torch.zeros(2, 1, *pair[0].shape[-2:])
    assert torch.allclose(region_psnr(*pair, nothing)["out-of-focus"], psnr(*pair), atol=1e-4)
    assert torch.allclose(region_ssim(*pair, nothing)["out-of-focus"], ssim(*pair), atol=1e-5)
    assert region_psnr(*pair, nothing)["in-focus"].isnan().all()


def test_images_without_the_region_are_left_out_of_the_mean(pair):
    mask = square()
    mask[1] = torch.nan  # what a batch holds for an image without a mask
    for metric, function in ((RegionPSNR("in-focus"), region_psnr), (RegionSSIM("in-focus"), region_ssim)):
        metric.update(*pair, mask)
        assert metric.per_image.isnan().tolist() == [False, True]
        assert metric.compute() == pytest.approx(function(*pair, mask)["in-focus"][0].item())


def test_focus_from_disparity_uses_the_circle_of_confusion_where_it_can():
    disparity = torch.tensor([0.0, 0.42, 0.5, 0.53, 0.56, 1.0]).reshape(1, 1, 1, 6)
    assert in_focus_from_disparity(disparity, 0.5).flatten().tolist() == [False, False, True, True, False, False]
    sharp = in_focus_from_disparity(disparity, torch.tensor([0.5]), torch.tensor([10.0]))
    assert sharp.flatten().tolist() == [False, True, True, True, True, False]


def test_wrong_masks_are_refused(pair):
    with pytest.raises(BokehbenchError, match="mask of the pictures' own size"):
        region_psnr(*pair, square()[..., :-1])
    with pytest.raises(BokehbenchError, match="must be B 1 H W"):
        region_psnr(*pair, square().expand(-1, 3, -1, -1))
    with pytest.raises(BokehbenchError, match="did you mean 'border'"):
        RegionPSNR("boder").update(pair[0], pair[1], square())
