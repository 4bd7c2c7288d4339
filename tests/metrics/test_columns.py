"""Columns: declared once, told apart, found by name, written with their digits."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import pytest

from bokehbench.errors import BokehbenchError
from bokehbench.metrics.columns import columns, find_column, variant_of
from bokehbench.metrics.protocols import PROTOCOLS


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [("psnr", 30.0, 20.0), ("psnr_in_focus", 30.0, 20.0), ("lpips", 0.1, 0.2), ("depth_mae", 0.01, 0.2),
     ("blur_amount", -0.1, 0.5), ("dose_slope", 1.1, 0.8), ("ssim_gaussian", 0.9, math.nan)],
)  # fmt: skip
def test_better_is_better(name, better, worse):
    column = find_column(name)
    assert column.goodness(better) > column.goodness(worse)


def test_every_column_of_a_protocol_is_declared_and_labels_tell_all_apart():
    assert {name for protocol in PROTOCOLS.values() for name in protocol.columns} <= set(columns())
    labels = {column.label for column in columns().values()}
    assert len(labels) == len(columns())
    assert not any("_" in label for label in labels)
    assert all(name == column.name for name, column in columns().items())


def test_columns_are_listed_without_torch():
    code = "import sys; from bokehbench.metrics.columns import columns; columns(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_unknown_names_are_refused_and_a_methods_own_are_variants():
    with pytest.raises(BokehbenchError, match="did you mean 'psnr_border'"):
        find_column("psnr_boder")
    assert variant_of("coarse_psnr").label == "PSNR (dB), coarse"
    assert variant_of("psnr_border") == find_column("psnr_border")
    with pytest.raises(BokehbenchError, match="no column"):
        variant_of("defocus_rank")


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(24.7413, False, "24.74"), (0.5, True, "+0.50"), (-0.001, True, "0.00"), (math.nan, False, "n/a"),
     (math.inf, False, "inf"), (-0.004, False, "0.00"), (-10.0, True, "-10.00")],
)  # fmt: skip
def test_digits(value, signed, text):
    assert find_column("psnr").show(value, signed) == text


@pytest.mark.parametrize("column", columns().values(), ids=lambda column: column.name)
def test_half_a_unit_of_the_last_decimal_is_the_same_measurement(column):
    half = 0.5 * 10.0**-column.decimals
    assert column.same(0.25, 0.25 + 0.9 * half)
    assert not column.same(0.25, 0.25 + 1.1 * half)
    assert column.same(math.nan, math.nan)
    assert not column.same(math.nan, 0.25)
    assert column.same(math.inf, math.inf)
    assert replace(column, tolerance=1.0).same(0.0, 1.0)
