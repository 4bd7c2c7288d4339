from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bokehbench.errors import BokehbenchError
from bokehbench.optics import disk, polygon, ring, soft_disk
from bokehbench.optics.aperture_kernels import area_disk, squared_distances

RADII = st.floats(0, 30)


@settings(max_examples=25, deadline=None)
@given(RADII, st.floats(0, 0.99), st.integers(3, 9), st.floats(-4, 4))
def test_kernels_sum_to_one_and_are_odd_sized(radius, inner, blades, rotation):
    radius = max(radius, 0.1)
    for kernel in (
        disk(radius),
        soft_disk(int(radius)),
        ring(radius, inner * radius),
        polygon(radius, blades, rotation),
    ):
        assert kernel.shape[0] == kernel.shape[1]
        assert kernel.shape[0] % 2 == 1
        assert kernel.min() >= 0
        assert float(kernel.double().sum()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kernel", [disk(4.3), soft_disk(5), ring(6.2, 2.5), polygon(7, 6), polygon(5.5, 4, 0.3)])
def test_round_kernels_equal_themselves_turned_by_half_a_turn(kernel):
    torch.testing.assert_close(kernel, kernel.flip(0, 1))


def test_a_triangle_does_not_and_points_where_it_is_told():
    kernel = polygon(9, 3, rotation=0.0)
    assert not torch.allclose(kernel, kernel.flip(0, 1), atol=1e-4)
    assert kernel[:, 11:].sum() < kernel[:, :10].sum()
    assert kernel[10, 18] > 0.2 * kernel.max()
    assert kernel[10, 2] < 0.01 * kernel.max()


@pytest.mark.parametrize(("radius", "points"), [(0, 1), (0.99, 1), (1, 5), (math.sqrt(2), 9), (2, 13), (10, 317)])
def test_hard_disk_counts_lattice_points(radius, points):
    assert int((disk(radius) > 0).sum()) == points
    assert float(disk(radius).max()) == pytest.approx(1 / points)


def test_radii_within_float32_rounding_are_the_same_disk():
    for square in range(1, 60):
        single = float(torch.tensor(square, dtype=torch.float32).sqrt())
        assert torch.equal(disk(single), disk(math.sqrt(square)))


@pytest.mark.parametrize(("radius", "total"), [(1, 6.23), (2, 17.15), (3, 33.87), (5, 85.09), (34, 3634.8)])
def test_soft_disk_has_the_published_sums_and_edge(radius, total):
    raw = 0.5 + 0.5 * torch.tanh((radius**2 - squared_distances(radius)) / 4 + 0.5)
    assert float(raw.sum()) == pytest.approx(total, rel=1e-3)
    kernel = soft_disk(radius, dtype=torch.float64)
    assert float(kernel[radius, 0] * raw.sum()) == pytest.approx(0.731, abs=1e-3)


def test_impossible_apertures_are_refused_by_name():
    with pytest.raises(BokehbenchError, match="radius"):
        disk(-1)
    with pytest.raises(BokehbenchError, match="radius"):
        disk(math.inf)
    with pytest.raises(BokehbenchError, match="inner"):
        ring(3, 3)
    with pytest.raises(BokehbenchError, match="blades"):
        polygon(3, 2)


def test_an_area_disk_covers_its_area_and_spreads_light_as_far_as_its_radius():
    for radius in (0.8, 1.5, 4.0, 9.3):
        kernel = area_disk(radius, torch.float64)
        axis = torch.arange(len(kernel)) - len(kernel) // 2
        assert float(kernel.sum()) == pytest.approx(1)
        assert 1 / float(kernel.max()) == pytest.approx(math.pi * radius**2, rel=0.02)
        assert 2 * float((kernel.sum(1) * axis**2).sum()) ** 0.5 == pytest.approx(radius, abs=0.25)
    assert area_disk(0).tolist() == [[1.0]]
    with pytest.raises(BokehbenchError, match="finite number"):
        area_disk(-1)
