"""The board of D2F's kernels: its scenes reach them, and its page says which."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

import bokehbench
from bokehbench.board.boards import read_board
from bokehbench.data import open_data
from bokehbench.nets.d2f.d2f_net import halved
from bokehbench.nets.d2f.renderer import RADII

HOME = Path(bokehbench.__file__).parents[1]
BOARD = HOME / "leaderboards" / "synthetic-wide"


def shares(radii: tuple[int, ...]) -> Tensor:
    """Share of the pixels, at half size, whose true blur is nearest to each radius; in per cent."""
    data = open_data("syntheticdof", **read_board(BOARD).data["arguments"])
    data.setup("test")
    middles = torch.tensor([(a + b) / 2 for a, b in pairwise(radii)])
    count = torch.zeros(len(radii), dtype=torch.float64)
    for index in range(len(data.test_set)):
        scene, _ = data.test_set.scene(index)
        blur = (scene.disparity(scene.regions()) - scene.focus).abs() * data.options.aperture
        half = halved(blur[None]) / 2
        count += torch.bincount(torch.bucketize(half.flatten(), middles), minlength=len(radii))
    return 100 * count / count.sum()


def test_scenes_reach_every_released_kernel_but_the_largest_and_the_page_lists_them():
    found = shares(RADII[15])
    assert (found[:-1] > 0).all()
    assert found[-1] == 0
    page = (HOME / "docs" / "leaderboards" / "synthetic-wide.md").read_text(encoding="utf-8")
    listed = {int(radius): float(share) for radius, share in re.findall(r"(\d+) px: ([\d.]+) %", page)}
    assert list(listed) == list(RADII[15])
    for radius, share in zip(RADII[15], found.tolist(), strict=True):
        assert abs(listed[radius] - share) < 0.01, f"{radius} px: {share:.3f} %"
