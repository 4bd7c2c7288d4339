"""The board of D2F's kernels: its scenes reach them, and its page says which."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

import bokehbench
from bokehbench.batch import Batch
from bokehbench.board.boards import read_board
from bokehbench.data import open_data
from bokehbench.data.collate import collate
from bokehbench.metrics.psnr import psnr
from bokehbench.models import D2F
from bokehbench.nets.d2f.d2f_net import halved
from bokehbench.nets.d2f.renderer import RADII, KernelSet, WeightedLayeredRendering

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


def ideal(batch: Batch, kernels: KernelSet) -> float:
    """PSNR of D2F's renderer with the true defocus, at half size, without radiance weights."""
    defocus = D2F(kernel_set=kernels, backbone="test_resnet", channels=16).true_defocus(batch)
    assert defocus is not None
    rendered = WeightedLayeredRendering(kernels, sharpness=20.0)(
        halved(batch["image"]), torch.ones(1, 3, *defocus.shape[-2:]), defocus
    )
    return float(psnr(rendered.clamp(0, 1), halved(batch["bokeh"])))


def test_the_true_defocus_scores_near_the_target_and_more_kernels_better():
    data = open_data("syntheticdof", **read_board(BOARD).data["arguments"])
    data.setup("test")
    batches = [collate([data.test_set[index]]) for index in range(3)]
    scores = {kernels: sum(ideal(batch, kernels) for batch in batches) / 3 for kernels in RADII}
    identity = sum(float(psnr(halved(batch["image"]), halved(batch["bokeh"]))) for batch in batches) / 3
    assert scores[15] > identity + 6
    assert scores[15] > scores[6] + 0.2
    assert abs(scores[15] - scores[17]) < 0.2


def test_scenes_reach_every_released_kernel_but_the_largest_and_the_page_lists_them():
    found = shares(RADII[15])
    assert (found[:-1] > 0).all()
    assert found[-1] == 0
    page = (HOME / "docs" / "leaderboards" / "synthetic-wide.md").read_text(encoding="utf-8")
    listed = {int(radius): float(share) for radius, share in re.findall(r"(\d+) px: ([\d.]+) %", page)}
    assert list(listed) == list(RADII[15])
    for radius, share in zip(RADII[15], found.tolist(), strict=True):
        assert abs(listed[radius] - share) < 0.01, f"{radius} px: {share:.3f} %"
