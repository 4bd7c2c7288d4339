from __future__ import annotations

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bokehbench.optics import dilated_defocus


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.floats(0, 6), st.integers(0, 1000))
def test_equals_the_loop_over_pixels(height: int, width: int, reach: float, seed: int) -> None:
    made = torch.Generator().manual_seed(seed)
    defocus = (2 * torch.rand(1, 1, height, width, generator=made) - 1) * reach
    found, signed = dilated_defocus(defocus)[0, 0], defocus[0, 0].tolist()
    for y in range(height):
        for x in range(width):
            covering = [
                math.trunc(signed[v][u])
                for v in range(height)
                for u in range(width)
                if abs(signed[v][u]) >= math.hypot(u - x, v - y)
            ]
            assert int(found[y, x]) == max([math.trunc(signed[y][x]), *covering])


def test_near_wins_over_far_and_far_over_farther() -> None:
    defocus = torch.full((1, 1, 21, 21), -8.0)
    defocus[..., 10, 10] = 3.0
    found = dilated_defocus(defocus)[0, 0]
    assert int(found[10, 13]) == 3
    assert int(found[10, 14]) == -8
    defocus[..., 10, 10] = -2.0
    assert int(dilated_defocus(defocus)[0, 0, 10, 12]) == -2
