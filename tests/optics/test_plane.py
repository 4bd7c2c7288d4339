from __future__ import annotations

import pytest
import torch
from slow_optics import spread

from bokehbench.errors import BokehbenchError
from bokehbench.optics import blur_plane


def plane(height: int, width: int, box: tuple[int, int, int, int] | None = None) -> torch.Tensor:
    rgba = torch.rand(4, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(height + width))
    if box is not None:
        outside = torch.ones(height, width, dtype=torch.bool)
        outside[box[0] : box[1], box[2] : box[3]] = False
        rgba = rgba.masked_fill(outside, 0)
    return rgba


@pytest.mark.parametrize("radius", [0.0, 0.7, 1.0, 2.5, 5.0, 14.0])
@pytest.mark.parametrize("box", [None, (2, 5, 8, 13), (0, 3, 0, 2)])
def test_constant_planes_equal_the_loop_over_pixels(radius, box):
    rgba = plane(11, 14, box)
    expected = spread(rgba, torch.full((11, 14), radius))
    torch.testing.assert_close(blur_plane(rgba, radius), expected)


def test_all_light_stays_when_there_is_a_margin():
    rgba = plane(40, 40, (12, 28, 12, 28))
    torch.testing.assert_close(blur_plane(rgba, 7.0).sum((1, 2)), rgba.sum((1, 2)))


def test_empty_planes_stay_empty():
    assert not blur_plane(torch.zeros(4, 8, 9), 3.0).any()


def test_gradients():
    assert torch.autograd.gradcheck(lambda x: blur_plane(x, 2.2), plane(5, 6).requires_grad_())


@pytest.mark.parametrize("radius", [-1.0, float("inf")])
def test_impossible_radii_are_refused(radius):
    with pytest.raises(BokehbenchError, match="radius"):
        blur_plane(plane(4, 4), radius)
