from __future__ import annotations

import kornia
import pytest
import torch

from bokehbench.errors import BokehbenchError
from bokehbench.optics import (
    circle_of_confusion,
    depth_to_disparity,
    focus_at,
    minmax,
    signed_defocus,
    to_linear,
    to_srgb,
)


def test_defocus_is_signed_and_in_pixels():
    disparity = torch.tensor([0.0, 0.25, 1.0]).reshape(1, 1, 1, 3)
    torch.testing.assert_close(signed_defocus(disparity, 0.25, 20.0).flatten(), torch.tensor([-5.0, 0.0, 15.0]))
    torch.testing.assert_close(circle_of_confusion(disparity, 0.25, 20.0).flatten(), torch.tensor([5.0, 0.0, 15.0]))


def test_focus_and_aperture_may_differ_from_image_to_image():
    disparity = torch.rand(2, 1, 3, 4)
    focus, aperture = torch.tensor([0.1, 0.9]), torch.tensor([4.0, 7.0])
    both = circle_of_confusion(disparity, focus, aperture)
    for i in range(2):
        one = circle_of_confusion(disparity[i : i + 1], float(focus[i]), float(aperture[i]))
        torch.testing.assert_close(both[i : i + 1], one)


def test_minmax_stretches_each_map_alone_and_flattens_flat_ones():
    maps = torch.stack([torch.linspace(-3, 9, 12).reshape(1, 3, 4), torch.full((1, 3, 4), 5.0)])
    stretched = minmax(maps)
    torch.testing.assert_close(stretched[0], torch.linspace(0, 1, 12).reshape(1, 3, 4))
    assert torch.equal(stretched[1], torch.zeros(1, 3, 4))
    torch.testing.assert_close(minmax(stretched), stretched)


def test_near_is_one_and_missing_depth_is_farthest():
    depth = torch.tensor([1.0, 2.0, 4.0, 0.0, float("inf"), float("nan"), -1.0, 65.535]).reshape(1, 1, 1, 8)
    disparity = depth_to_disparity(depth, invalid=65.535).flatten()
    torch.testing.assert_close(disparity, torch.tensor([1.0, 1 / 3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))


def test_depth_without_any_measurement_is_refused():
    with pytest.raises(BokehbenchError, match="no valid pixel"):
        depth_to_disparity(torch.zeros(1, 1, 4, 4))


def test_focus_point_is_column_then_row():
    disparity = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(2, 1, 3, 4)
    assert focus_at(disparity, 3, 1).tolist() == [7.0, 19.0]
    assert focus_at(disparity, torch.tensor([0.4, 2.6]), torch.tensor([0, 2])).tolist() == [0.0, 23.0]
    with pytest.raises(BokehbenchError, match="4 x 3"):
        focus_at(disparity, 1, 3)


def test_linear_light_and_back():
    rgb = torch.rand(2, 3, 5, 6, dtype=torch.float64).requires_grad_()
    torch.testing.assert_close(to_srgb(to_linear(rgb)), rgb)
    assert torch.equal(to_linear(rgb), kornia.color.rgb_to_linear_rgb(rgb))
    assert torch.equal(to_srgb(rgb), kornia.color.linear_rgb_to_rgb(rgb))
    middle = to_linear(torch.full((1, 3, 1, 1), 0.5))
    torch.testing.assert_close(middle, torch.full((1, 3, 1, 1), 0.21404), atol=1e-4, rtol=0)
    assert torch.isfinite(torch.autograd.grad(to_srgb(to_linear(rgb * 0)).sum(), rgb)[0]).all()
