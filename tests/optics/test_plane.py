from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
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
    torch.testing.assert_close(blur_plane(rgba, torch.tensor(radius)), expected)
    torch.testing.assert_close(blur_plane(rgba, torch.full((11, 14), radius)), expected)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 13), st.integers(1, 13), st.floats(0, 5), st.floats(0, 5), st.booleans())
def test_any_map_of_radii_equals_the_loop_over_pixels(height, width, low, high, smooth):
    rgba = plane(height, width, (height // 4, height, 0, max(1, width // 2)))
    place = torch.linspace(0, 1, height * width).reshape(width, height).T
    radius = low + (high - low) * (place if smooth else torch.rand(height, width))
    torch.testing.assert_close(blur_plane(rgba, radius), spread(rgba, radius))


def test_tall_planes_are_joined_without_a_seam():
    rgba = plane(150, 6)
    radius = torch.linspace(0, 4, 150)[:, None].expand(150, 6)
    torch.testing.assert_close(blur_plane(rgba, radius), spread(rgba, radius))


def test_all_light_stays_when_there_is_a_margin():
    rgba = plane(40, 40, (12, 28, 12, 28))
    for radius in (7.0, 12 * torch.rand(40, 40)):
        torch.testing.assert_close(blur_plane(rgba, radius).sum((1, 2)), rgba.sum((1, 2)))


def test_empty_planes_stay_empty():
    for radius in (3.0, torch.rand(8, 9)):
        assert not blur_plane(torch.zeros(4, 8, 9), radius).any()


def test_batches_are_planes_one_by_one():
    batch = torch.stack([plane(9, 8), plane(9, 8, (1, 4, 2, 5))])
    radii = 3 * torch.rand(2, 1, 9, 8)
    torch.testing.assert_close(
        blur_plane(batch, radii), torch.stack([blur_plane(p, r) for p, r in zip(batch, radii, strict=True)])
    )
    torch.testing.assert_close(blur_plane(batch, 2.0), torch.stack([blur_plane(p, 2.0) for p in batch]))


@pytest.mark.parametrize("radius", [2.2, 3 * torch.rand(5, 6)], ids=["constant", "sloping"])
def test_gradients(radius):
    assert torch.autograd.gradcheck(lambda x: blur_plane(x, radius), plane(5, 6).requires_grad_())


def test_impossible_radii_are_refused():
    with pytest.raises(BokehbenchError, match="radius"):
        blur_plane(plane(4, 4), -1.0)
    with pytest.raises(BokehbenchError, match=">= 0"):
        blur_plane(plane(4, 4), torch.full((4, 4), float("nan")))
    with pytest.raises(BokehbenchError, match="do not fit"):
        blur_plane(plane(4, 4), torch.ones(4, 5))
