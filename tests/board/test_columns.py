"""Names, directions and digits of score columns."""

from __future__ import annotations

import math

import pytest

from bokehbench.metrics.columns import find_column
from bokehbench.metrics.diagnostics import COLUMNS
from bokehbench.metrics.protocols import PROTOCOLS


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [("psnr", 30.0, 20.0), ("psnr_in_focus", 30.0, 20.0), ("lpips", 0.1, 0.2), ("depth_mae", 0.01, 0.2),
     ("blur_amount", -0.1, 0.5), ("ssim_gaussian", 0.9, math.nan)],
)  # fmt: skip
def test_better_is_better(name, better, worse):
    column = find_column(name)
    assert column.goodness(better) > column.goodness(worse)


def test_labels_tell_all_columns_apart():
    names = {*COLUMNS, "depth_mae", *(column for protocol in PROTOCOLS.values() for column in protocol.columns)}
    labels = {find_column(name).label for name in names}
    assert len(labels) == len(names)
    assert not any("_" in label for label in labels)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(24.7413, False, "24.74"), (0.5, True, "+0.50"), (-0.001, True, "0.00"), (math.nan, False, "n/a"),
     (math.inf, False, "inf"), (-0.004, False, "0.00"), (-10.0, True, "-10.00")],
)  # fmt: skip
def test_digits(value, signed, text):
    assert find_column("psnr").show(value, signed) == text
