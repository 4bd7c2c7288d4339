"""Levels of an image, and area resizing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from bokehbench.nets.deeplens import area_resize, level_count, pyramid
from bokehbench.nets.numerics import Numerics

MODERN, OFFICIAL = Numerics.named("modern"), Numerics.named("official")


@given(st.integers(64, 4096), st.integers(64, 4096))
def test_modern_levels_start_between_320_and_639(height: int, width: int) -> None:
    long, count = max(height, width), level_count((height, width), MODERN)
    lowest = long >> (count - 1)
    assert 320 <= lowest < 640 if long >= 320 else count == 1


@pytest.mark.parametrize(("long", "count"), [(639, 1), (640, 2), (1279, 2), (1280, 3), (4096, 3)])
def test_official_levels(long: int, count: int) -> None:
    assert level_count((100, long), OFFICIAL) == count


def test_levels_are_halves_rounded_down() -> None:
    levels = pyramid(torch.rand(1, 3, 67, 1283), MODERN)
    assert [tuple(level.shape[-2:]) for level in levels] == [(16, 320), (33, 641), (67, 1283)]


@pytest.mark.parametrize("long", [1281, 2139, 2154, 4096])
def test_official_cap_is_1280_exactly(long: int) -> None:
    """Trap 13: the authors' float truncation turns some long sides into 1279."""
    levels = pyramid(torch.rand(1, 3, 8, long), OFFICIAL)
    assert [level.shape[-1] for level in levels] == [320, 640, 1280]


def test_area_of_even_sizes_is_the_block_mean() -> None:
    image = torch.rand(2, 3, 32, 20)
    assert torch.allclose(area_resize(image, (16, 10)), F.avg_pool2d(image, 2), atol=1e-6)


@given(st.integers(1, 40), st.integers(1, 40))
def test_area_keeps_constants_and_the_mean(n: int, m: int) -> None:
    n, m = max(n, m), min(n, m)
    assert torch.allclose(area_resize(torch.full((1, 1, n, n), 0.7), (m, m)), torch.tensor(0.7), atol=1e-6)
    image = torch.rand(1, 1, n, n, generator=torch.Generator().manual_seed(0))
    assert torch.isclose(area_resize(image, (m, m)).mean(), image.mean(), atol=1e-5)


def test_area_counts_fractions_of_pixels() -> None:
    """Five pixels into two: each target covers two and a half."""
    image = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]).view(1, 1, 1, 5)
    assert torch.allclose(area_resize(image, (1, 2)).flatten(), torch.tensor([5.0, 26.0]) / 2.5)
