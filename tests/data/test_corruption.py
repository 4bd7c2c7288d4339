"""Dilation and erosion by ellipses, against the definition and against kornia."""

from __future__ import annotations

import kornia
import numpy as np
import pytest
import torch

from bokehbench.data.synthetic.corruption import corrupt, dilate, erode


def ellipse(radius_y: float, radius_x: float) -> torch.Tensor:
    y = torch.arange(-int(radius_y), int(radius_y) + 1)[:, None] / radius_y
    x = torch.arange(-int(radius_x), int(radius_x) + 1)[None] / radius_x
    return (y * y + x * x <= 1 + 1e-6).float()


def region() -> torch.Tensor:
    rng = np.random.default_rng(0)
    found = torch.from_numpy(rng.random((33, 41)) > 0.985)
    found[10:22, 12:30] = True
    return found


@pytest.mark.parametrize("radii", [(1.0, 1.0), (3.0, 3.0), (2.5, 5.9), (6.0, 1.2), (4.4, 4.4)])
def test_dilation_is_kornias(radii: tuple[float, float]) -> None:
    before = torch.zeros(47, 55, dtype=torch.bool)
    before[7:40, 7:48] = region()
    expected = kornia.morphology.dilation(before[None, None].float(), ellipse(*radii))[0, 0] > 0.5
    assert torch.equal(dilate(before, *radii), expected)


def test_erosion_undoes_no_more_than_dilation_did() -> None:
    before = region()
    assert (erode(before, 3, 2) <= before).all()
    assert (before <= dilate(before, 3, 2)).all()
    assert (erode(dilate(before, 3, 2), 3, 2) >= before).all()  # a closing only adds


def test_an_object_cut_by_the_frame_does_not_shrink_from_there() -> None:
    before = torch.zeros(20, 20, dtype=torch.bool)
    before[8:, 5:15] = True
    after = erode(before, 3, 3)
    assert after[-1, 9]
    assert not after[8, 9]


def test_three_quarters_are_corrupted_half_of_them_grown() -> None:
    before = torch.zeros(60, 60, dtype=torch.bool)
    before[20:40, 20:40] = True
    areas = [int(corrupt(np.random.default_rng(seed), before, 1.0).sum()) for seed in range(400)]
    grown = np.mean([area > 400 for area in areas])
    shrunk = np.mean([area < 400 for area in areas])
    assert grown == pytest.approx(0.375, abs=0.07)
    assert shrunk == pytest.approx(0.375, abs=0.07)
    assert max(areas) <= 32 * 32
    assert min(areas) >= 8 * 8


def test_the_ellipse_grows_with_the_scale() -> None:
    before = torch.zeros(80, 80, dtype=torch.bool)
    before[40, 40] = True

    def widest(scale: float) -> int:
        return max(int(corrupt(np.random.default_rng(s), before, scale).any(0).sum()) for s in range(60))

    assert widest(2.0) > 1.6 * widest(1.0)
