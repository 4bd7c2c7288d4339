"""Published numbers: which are comparable with ours, and the status that follows."""

from __future__ import annotations

import pytest
from made_boards import make_board, make_result

from bokehbench.board.boards import read_board
from bokehbench.board.reported import all_beside, column_of, definition, read_reported
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.protocols import find_protocol

COLUMNS = ["psnr", "ssim", "ssim_gaussian", "lpips"]


def statuses(tmp_path, lines, *results):
    folder = make_board(tmp_path, lines, columns=COLUMNS)
    return all_beside(read_board(folder), read_reported(folder), list(results))


def mean(result, column="psnr"):
    values = list(result.values(column).values())
    return sum(values) / len(values)


def test_statuses(tmp_path):
    result = make_result("Net")
    psnr = mean(result)
    lines = (
        f"Net,2020,PSNR,{psnr + 0.03:.2f},dB,Tiny30,dmshn,S1,,\n"
        f"Net,2020,PSNR,{psnr + 0.3:.2f},dB,Tiny30,,S2,,\n"
        f"Net,2020,PSNR,{psnr:.2f},dB,Other,,S3,,\n"
        f"Net,2020,SSIM,0.85,unitless,Tiny30,basicsr,S4,,\n"
        f"Net,2020,LPIPS,0.2,unitless,Tiny30,dmshn,S5,,\n"
        f"Net,2020,Params,5,M,,,S6,,\n"
        f"Away,2020,PSNR,20,dB,Tiny30,,S7,,\n"
    )
    found = statuses(tmp_path, lines, result)
    assert [each.status for each in found] == [
        "reproduced", "differs", "not comparable", "not comparable", "not comparable", "quoted",
    ]  # fmt: skip
    assert found[0].difference == pytest.approx(-0.03, abs=0.006)
    assert "does not state" in found[1].why
    assert "other split" in found[2].why
    assert "other metric" in found[3].why
    assert "not measured" in found[4].why
    assert [each.difference for each in found[2:]] == [None] * 4


def test_an_incomplete_result_reproduces_nothing(tmp_path):
    result = make_result("Net", names=["0000", "0001"], flags=("incomplete",))
    (found,) = statuses(tmp_path, f"Net,2020,PSNR,{mean(result):.2f},dB,Tiny30,dmshn,S1,,\n", result)
    assert (found.status, found.why) == ("not comparable", "2 of 30 pictures")


@pytest.mark.parametrize(
    ("protocol", "metric", "column"),
    [
        ("dmshn", "PSNR", "psnr"), ("dmshn", "SSIM", "ssim"), ("dmshn", "LPIPS", "lpips"),
        ("pynet", "PSNR", None), ("ebokehnet", "SSIM", None), ("y-channel", "PSNR", None), ("pooled", "PSNR", None),
        ("pooled", "SSIM", "ssim_gaussian"), ("", "SSIM", "ssim"), ("", "MS-SSIM", None), ("", "Runtime", None),
    ],
)  # fmt: skip
def test_a_protocol_decides_which_column_it_is(tmp_path, protocol, metric, column):
    folder = make_board(tmp_path, f"Net,2020,{metric},1,,Tiny30,{protocol},S,,\n", columns=COLUMNS)
    assert column_of(read_board(folder), read_reported(folder)[0]) == column


def test_definitions_see_every_choice():
    ours = find_protocol("bokehbench")
    assert definition(ours, "ssim") != definition(ours, "ssim_gaussian")
    assert definition(ours, "psnr") != definition(find_protocol("ntire23"), "psnr")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Net,2020,PSNR,high,dB,Tiny30,,S,,\n", "not a number"),
        ("Net,2020,PSNR,20,dB,Tiny30,,,,\n", "source"),
        ("Net,2020,PSNR,20,dB,Tiny30,nobody,S,,\n", "no protocol 'nobody'"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    folder = make_board(tmp_path, line)
    with pytest.raises(BokehbenchError, match=rf"reported\.csv:2: .*{message}"):
        read_reported(folder)
