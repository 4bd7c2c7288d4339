from __future__ import annotations

import torch

from bokehbench.metrics.diagnostics import COLUMNS, diagnose
from bokehbench.metrics.psnr import psnr


def test_columns_explain_where_a_score_comes_from(pair):
    _, target = pair
    mask = torch.zeros(2, 1, *target.shape[-2:])
    mask[..., 60:120, 70:140] = 1
    moved_and_darkened = torch.roll(target, (3, -2), (2, 3)) * 0.8
    scores = diagnose(moved_and_darkened, target, mask)
    assert list(scores) == list(COLUMNS)
    assert all(values.shape == (2,) and values.isfinite().all() for values in scores.values())
    assert (psnr(moved_and_darkened, target) < scores["psnr_gain"]).all()
    assert (scores["psnr_gain"] < scores["psnr_registered_gain"] - 10).all()


def test_columns_without_a_meaning_are_nan(pair):
    without_mask = diagnose(*pair)
    assert without_mask["psnr_border"].isnan().all()
    assert without_mask["blur_amount"].isfinite().all()
    tiny = diagnose(pair[0][..., :80, :80], pair[1][..., :80, :80])
    assert tiny["psnr_registered"].isnan().all()
    assert tiny["psnr_gain"].isfinite().all()
