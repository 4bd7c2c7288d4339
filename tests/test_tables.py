"""Tables: what cells hold never breaks a row."""

from __future__ import annotations

import csv
import io
import math

import pytest

from bokehbench.tables import MARKUP, aligned, csv_text, markdown, number

HEADS = ("method", "a|b")


def test_markdown_keeps_one_line_and_two_bars_per_cell() -> None:
    assert markdown(HEADS, [["one\ntwo", "x|y"]]).splitlines() == [
        "| method | a\\|b |",
        "| --- | --- |",
        "| one two | x\\|y |",
    ]


def test_markdown_of_users_words_has_no_markup() -> None:
    assert markdown(["name"], [["a_b*<i>"]], MARKUP).splitlines()[-1] == "| a\\_b\\*\\<i> |"


def test_aligned_columns_and_the_marked_row() -> None:
    lines = aligned(("name", "PSNR", "note"), [["a", "9.5", ""], ["long", "30.25", "why"]], "<><", mark=1).splitlines()
    assert lines == [" name   PSNR  note", " a       9.5", "*long  30.25  why"]


def test_aligned_without_rows_is_its_heads() -> None:
    assert aligned(("a", "b"), []) == "a  b"


def test_csv_reads_back() -> None:
    text = csv_text(HEADS, [['a,\n"b"', None], ["c", 0.1]])
    assert list(csv.reader(io.StringIO(text))) == [list(HEADS), ['a,\n"b"', ""], ["c", "0.1"]]


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "\n=1", "--"])
def test_no_cell_of_a_csv_is_a_formula(text) -> None:
    ((cell,),) = list(csv.reader(io.StringIO(csv_text([text], []))))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["-1.5", "+3", "1e-9", "-inf", "a=b", "", "it's"])
def test_numbers_and_words_of_a_csv_stay(text) -> None:
    assert csv_text(["a", "b"], [[text, -1.5]]).splitlines()[1] == f"{text},-1.5"


def test_html_and_line_breaks_stay_no_html_and_one_row() -> None:
    row = markdown(["name"], [["<img src=x>\r\n\u2028\x85a\\|b"]]).splitlines()[-1]
    assert row == "| \\<img src=x>   a\\\\\\|b |"


@pytest.mark.parametrize(("value", "text"), [(None, ""), (math.nan, ""), (1.5, "1.500000"), (math.inf, "inf")])
def test_numbers_that_do_not_exist_are_empty(value, text) -> None:
    assert number(value) == text
