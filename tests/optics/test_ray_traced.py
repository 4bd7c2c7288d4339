from __future__ import annotations

import math

import pytest
import torch

from bokehbench.errors import BokehbenchError
from bokehbench.optics import disk_blur, ray_traced
from bokehbench.optics.ray_traced import lens_points, turns


def noise(height: int = 48, width: int = 57, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(7))


def plane(value: float, like: torch.Tensor) -> torch.Tensor:
    return torch.full_like(like[:, :1], value)


def square(side: int = 64, near: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A white square at disparity ``near`` on black at 0."""
    inside = torch.zeros(1, 1, side, side)
    inside[..., side // 4 : -side // 4, side // 4 : -side // 4] = 1
    return inside.expand(1, 3, side, side).contiguous(), inside * near


def test_the_lens_is_filled_evenly():
    points = lens_points(256)
    assert float(points.norm(dim=1).max()) <= 1
    assert points.mean(0).abs().max() < 0.01
    assert abs(float(points.square().sum(1).mean()) - 0.5) < 0.01  # of a uniform unit disk


@pytest.mark.parametrize("disparity", [0.0, 0.37, 1.0])
def test_a_plane_in_focus_is_the_identity(disparity):
    image = noise()
    torch.testing.assert_close(ray_traced(image, plane(disparity, image), disparity, 20.0), image, atol=1e-5, rtol=0)


def test_no_aperture_is_the_identity():
    image = noise(batch=2)
    disparity = noise(batch=2)[:, 1:2]
    torch.testing.assert_close(ray_traced(image, disparity, 0.5, 0.0), image, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("disparity", "focus"), [(0.9, 0.1), (0.1, 0.9)])
def test_a_plane_out_of_focus_is_a_disk_blur(disparity, focus):
    image, _ = square()
    result = ray_traced(image, plane(disparity, image), focus, 10.0, rays=256)
    assert float((result - disk_blur(image, 8.0, "replicate")).abs().mean()) < 0.005
    # white noise shows each ray's error: what is left is sampling
    rough = noise()
    error = ray_traced(rough, plane(disparity, rough), focus, 10.0, rays=256) - disk_blur(rough, 8.0, "replicate")
    assert float(error.square().mean().sqrt()) < 0.03


def test_near_objects_spread_over_what_is_far_and_in_focus():
    image, disparity = square()
    result = ray_traced(image, disparity, 0.0, 6.0, rays=128)
    assert 0.2 < float(result[0, 0, 32, 13]) < 0.5  # 3 px outside of the square, whose disk reaches 6
    assert float(result[0, 0, 32, 8]) == 0
    torch.testing.assert_close(result[..., 30:34, 30:34], torch.ones(1, 3, 4, 4))


def test_what_is_far_does_not_spread_over_near_objects_in_focus():
    image, disparity = square()
    result = ray_traced(image, disparity, 1.0, 6.0)
    assert float((result - image)[..., 17:47, 17:47].abs().max()) < 0.01
    # nor does the object in focus make a halo, but for bilinear reading right beside its edge
    assert float(result[..., :14].max()) < 0.04


def test_constant_pictures_stay():
    disparity = noise()[:, :1]
    constant = torch.full((1, 3, 48, 57), 0.7)
    torch.testing.assert_close(ray_traced(constant, disparity, 0.3, 9.0), constant)


def test_flips_commute_but_for_noise():
    image, disparity = square()
    image = 0.5 * image + 0.5 * noise(64, 64)
    turned = ray_traced(image.flip(-1), disparity.flip(-1), 0.3, 6.0).flip(-1)
    assert float((turned - ray_traced(image, disparity, 0.3, 6.0)).abs().mean()) < 0.02


def test_strips_and_batches_change_nothing(monkeypatch):
    image, disparity = noise(batch=2), noise(batch=2)[:, 2:]
    focus, aperture = torch.tensor([0.2, 0.7]), torch.tensor([3.0, 9.0])
    whole = ray_traced(image, disparity, focus, aperture, rays=8)
    monkeypatch.setitem(ray_traced.__globals__, "AT_ONCE", 200)
    monkeypatch.setitem(ray_traced.__globals__, "SIDE", 13)
    strips = [ray_traced(image[i : i + 1], disparity[i : i + 1], focus[i], aperture[i], rays=8) for i in range(2)]
    torch.testing.assert_close(torch.cat(strips), whole)


@pytest.mark.parametrize("window", [(0, 0, 70, 97), (9, 13, 31, 22), (69, 96, 1, 1)])
def test_a_window_is_that_part_of_the_whole(window):
    """Where depth differs from block to block, and so do the steps that are left out."""
    image, disparity = noise(70, 97), noise(9, 11)[:, 2:].sort(-1).values
    disparity = torch.nn.functional.interpolate(disparity, (70, 97), mode="bilinear")
    whole, (top, left, height, width) = ray_traced(image, disparity, 0.4, 9.0), window
    part = ray_traced(image, disparity, 0.4, 9.0, window=window)
    torch.testing.assert_close(part, whole[..., top : top + height, left : left + width], atol=1e-6, rtol=0)


def test_pictures_of_more_pixels_than_float32_counts():
    """The last row of 17 million pixels is not taken for another one."""
    side = 4150
    disparity = torch.zeros(1, 1, side, side)
    disparity[..., -8:, -8:] = square(8)[1]
    image = disparity.expand(1, 3, side, side)
    part = ray_traced(image, disparity, 0.0, 2.0, window=(side - 8, side - 8, 8, 8))
    alone = ray_traced(image[..., -24:, -24:], disparity[..., -24:, -24:], 0.0, 2.0)
    assert float((part - alone[..., -8:, -8:]).abs().max()) < 0.1  # other samples; where rays hit nothing, it is 1


def test_the_picture_has_a_gradient():
    image = noise(6, 7).double().requires_grad_()
    disparity = noise(6, 7)[:, :1].double()
    assert torch.autograd.gradcheck(lambda x: ray_traced(x, disparity, 0.4, 3.0, rays=3), (image,))


def test_wrong_calls_are_refused():
    image = noise()
    with pytest.raises(BokehbenchError, match="ray"):
        ray_traced(image, image[:, :1], 0.5, 4.0, rays=0)
    with pytest.raises(BokehbenchError, match="step"):
        ray_traced(image, image[:, :1], 0.5, 4.0, step=-1)
    with pytest.raises(BokehbenchError, match="does not fit"):
        ray_traced(image, image[:, :1, 1:], 0.5, 4.0)


def step_by_step(image, disparity, focus, aperture, rays):
    """Every ray marched alone through all steps, as the docstring says."""
    height, width = image.shape[-2:]
    near, far = float(disparity.max()), float(disparity.min())
    first, last = aperture * (near - focus), aperture * (far - focus)
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    turn = turns(range(height), range(width)).to(image)
    count = max(16, math.ceil(abs(first - last))) + 1
    total = torch.zeros_like(image)
    for x, y in lens_points(rays, image.dtype):
        across, down = x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos()
        met = torch.full((height, width), math.nan).to(image)
        for k in range(count):
            at, spread = near + (far - near) * k / (count - 1), first + (last - first) * k / (count - 1)
            there = (column + spread * across).round().clamp(0, width - 1).long()
            seen = disparity[0, 0, (row + spread * down).round().clamp(0, height - 1).long(), there]
            met = torch.where(met.isnan() & (seen >= at - 1e-12), seen, met)
        spread = aperture * (met - focus)
        places = (column + spread * across) * 2 / (width - 1) - 1, (row + spread * down) * 2 / (height - 1) - 1
        grid = torch.stack(places, -1)[None]
        total += torch.nn.functional.grid_sample(image, grid, padding_mode="border", align_corners=True)
    return total / rays


@pytest.mark.parametrize("kind", ["noise", "smooth", "steps"])
@pytest.mark.parametrize(("focus", "aperture"), [(0.0, 3.0), (0.4, 9.0), (1.0, 40.0)])
def test_no_ray_is_lost_by_what_is_left_out(monkeypatch, kind, focus, aperture):
    """Steps that cannot hit, or come after every ray did, are skipped: the same as marching them all."""
    image, rough = noise(40, 37).double(), noise(40, 37)[:, 2:].double()
    disparity = {
        "noise": rough,
        "smooth": torch.nn.functional.avg_pool2d(rough, 9, 1, 4),
        "steps": (torch.nn.functional.avg_pool2d(rough, 9, 1, 4, count_include_pad=False) * 12).round() / 12,
    }[kind]
    whole = step_by_step(image, disparity, focus, aperture, 5)
    monkeypatch.setitem(ray_traced.__globals__, "SIDE", 16)
    torch.testing.assert_close(ray_traced(image, disparity, focus, aperture, rays=5), whole, atol=1e-9, rtol=0)
