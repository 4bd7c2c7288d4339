"""The published outputs of MPFNet against the real targets give that paper's figures (data README)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from bokehbench.metrics import PSNR, SSIM


def load(path):
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None] / 255


def test_twenty_mpfnet_outputs_to_four_digits(test_data_dir):
    folder = test_data_dir / "val294_subset"
    metrics = {
        "psnr": (PSNR(), 25.4132),
        "pooled": (PSNR(pooling="global"), 23.2262),
        "uniform": (SSIM(), 0.8823),
        "gaussian": (SSIM("gaussian"), 0.8985),
    }
    targets = sorted((folder / "bokeh").glob("*.jpg"))
    assert len(targets) == 20
    for path in targets:
        prediction, target = load(folder / "mpfnet" / f"{path.stem}.png"), load(path)
        for metric, _ in metrics.values():
            metric.update(prediction, target)
    for name, (metric, expected) in metrics.items():
        assert metric.compute().item() == pytest.approx(expected, abs=5e-5), name


def test_the_input_as_output_scores_what_the_readme_says(test_data_dir):
    folder = test_data_dir / "ebb" / "Training"
    for name, expected in (("4545", 19.74), ("4546", 25.75)):
        metric = PSNR()
        metric.update(load(folder / "original" / f"{name}.jpg"), load(folder / "bokeh" / f"{name}.jpg"))
        assert metric.compute().item() == pytest.approx(expected, abs=5e-3)
