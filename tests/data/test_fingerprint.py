"""Fingerprints of targets: the same for a scene made on another processor, others for another scene."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bokehbench.data import SyntheticDoF
from bokehbench.fingerprint import differs, fingerprint


def target(index: int = 0, **options: Any) -> Tensor:
    arguments = {"size": 48, "test_samples": 4, "num_workers": 0, **options}
    scenes = SyntheticDoF(**arguments).pictures("test")
    assert scenes is not None
    return scenes[index]["bokeh"]


def test_it_is_the_mean_colour_of_each_cell() -> None:
    picture = torch.rand(3, 8, 16)
    cells = picture.reshape(3, 8, 8, 2).mean(-1).flatten()
    assert fingerprint(picture) == pytest.approx(cells.tolist(), abs=1e-5)
    assert len(fingerprint(torch.rand(3, 13, 29))) == 192


def test_rounding_in_the_last_bits_is_not_a_difference() -> None:
    picture = target()
    rounded = picture + torch.empty_like(picture).uniform_(-1e-6, 1e-6)
    assert not torch.equal(picture, rounded)
    assert not differs(fingerprint(picture), fingerprint(rounded))


def test_one_pixel_of_an_outline_is_not_a_difference() -> None:
    picture = torch.rand(3, 320, 320)
    moved = picture.clone()
    moved[:, 100, 100] = 1 - moved[:, 100, 100]
    assert not differs(fingerprint(picture), fingerprint(moved))


@pytest.mark.parametrize("other", [{"index": 1}, {"scene_seed": 1}, {"size": (48, 56)}, {"linear_light": False}])
def test_another_scene_differs(other: dict[str, Any]) -> None:
    assert differs(fingerprint(target()), fingerprint(target(**other)))


def test_another_aperture_differs() -> None:
    assert differs(fingerprint(target(size=320)), fingerprint(target(size=320, aperture=7)))  # 8 px is usual


@pytest.mark.parametrize("shape", [(48, 48), (3, 7, 48)])
def test_what_has_no_grid_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        fingerprint(torch.zeros(shape))


def test_other_channels_differ() -> None:
    assert differs(fingerprint(torch.zeros(3, 8, 8)), fingerprint(torch.zeros(1, 8, 8)))


def test_not_a_number_differs() -> None:
    assert differs((float("nan"),), (0.5,))
