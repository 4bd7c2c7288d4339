"""A perfect depth network is a perfect row on the board of DeepLens' tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import bokehbench
from bokehbench.board.boards import read_board
from bokehbench.data import open_data
from bokehbench.data.collate import collate
from bokehbench.metrics.psnr import psnr
from bokehbench.models import Combination, Layered, RayTraced, Scatter
from bokehbench.optics import minmax

BOARD = Path(bokehbench.__file__).parents[1] / "leaderboards" / "synthetic-640"
SCENES = 3


def scores(settings: dict, maps: Path) -> dict[str, float]:
    """Mean PSNR of the layered renderer with the true map, and with what a perfect network predicts for it."""
    data = open_data("syntheticdof", **settings, num_workers=0)
    data.setup("test")
    found: dict[str, list[float]] = {"true": [], "predicted": []}
    for index in range(SCENES):
        batch = collate([data.test_set[index]])
        maps.mkdir(exist_ok=True)
        np.save(maps / f"{batch['name'][0]}.npy", minmax(batch["true_disparity"])[0, 0].numpy())
        blur = {"focus": batch["focus"], "aperture": batch["aperture"]}
        true = Layered().eval().render(batch["image"], disparity=batch["true_disparity"], **blur).image
        found["true"].append(float(psnr(true, batch["bokeh"])))
        method = Combination(f"folder:{maps}", "layered").eval()
        output = method.render_batch(batch).image
        found["predicted"].append(float(psnr(output, batch["bokeh"])))
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_a_perfect_depth_network_scores_as_the_true_map(tmp_path):
    settings = dict(read_board(BOARD).data["arguments"])
    found = scores(settings, tmp_path / "maps")
    assert found["predicted"] == pytest.approx(found["true"], abs=0.1)
    # in the scale that the scenes are drawn in it is another blur: more than what methods differ by
    settings["disparity_scale"] = None
    before = scores(settings, tmp_path / "before")
    assert before["predicted"] < before["true"] - 1


@pytest.mark.parametrize("renderer", [Scatter, RayTraced])
def test_given_disparity_is_the_same_blur_in_both_scales(renderer):
    settings = {"size": 96, "aperture": 6, "test_samples": 2, "num_workers": 0}
    both = [open_data("syntheticdof", **settings, disparity_scale=scale) for scale in (None, "minmax")]
    for data in both:
        data.setup("test")
    method = renderer().eval()
    for index in range(2):
        one, other = (collate([data.test_set[index]]) for data in both)
        assert torch.equal(one["bokeh"], other["bokeh"])
        rendered = [
            method.render(b["image"], disparity=b["disparity"], focus=b["focus"], aperture=b["aperture"]).image
            for b in (one, other)
        ]
        assert float(psnr(rendered[0], rendered[1])) > 60
