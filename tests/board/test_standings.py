"""Ranks, marks, reasons, and the tables made of them."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from made_boards import PICTURES, make_board, make_result

from bokehbench.board import leaderboard
from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.markdown import page
from bokehbench.board.reported import read_reported
from bokehbench.board.standings import find_row, labels, standings
from bokehbench.board.tables import csv_text, latex


@pytest.fixture
def board(tmp_path):
    lines = "A,2020,PSNR,25.10,dB,Tiny30,dmshn,S1: a | b,,\nOld,2019,PSNR,20.0,dB,Tiny30,,S2,a note,contaminated\n"
    folder = make_board(tmp_path, lines, contaminated={"leaky": "saw the test ids, says its README"})
    return read_board(folder), read_reported(folder)


@pytest.fixture
def made(board):
    results = [
        make_result("Best", 1.0),
        make_result("A", 0.5, variant="a_quick"),
        make_result("A", 0.4, seed=2, weights_hash="other", variant="a_quick"),
        make_result("Worst", -3.0),
        make_result("Part", 9.0, names=PICTURES[:3], flags=("incomplete",)),
        make_result("Dirty", 9.0, flags=("dirty",)),
        make_result("Leak", 9.0, weights_hash="leaky", flags=("contaminated",)),
        make_result("Old", 9.0, board_version=0),
    ]
    return standings(board[0], results[::-1], board[1])


def test_order_ranks_and_marks(made):
    assert [(row.rank, row.result.method) for row in made.ranked] == [(1, "Best"), (2, "A"), (3, "A"), (4, "Worst")]
    assert [row.marks.get("psnr", 0) for row in made.ranked] == [1, 2, 0, 0]
    assert len({row.label for row in made.rows}) == len(made.rows), "two runs of a method are told apart"
    assert made.ranked[1].label.startswith("A (a_quick) #")


def test_what_is_not_ranked_says_why(made):
    reasons = {row.result.method: row.reason for row in made.unranked}
    assert reasons == {
        "Part": "incomplete: 3 of 30 pictures",
        "Dirty": "dirty: run from a working tree with uncommitted changes",
        "Leak": "contaminated: saw the test ids, says its README",
        "Old": "measured for version 0 of this board",
    }
    assert all(row.marks == {} for row in made.unranked)


def test_a_withdrawn_result_stays_with_the_reason_and_without_a_rank(tmp_path):
    kept, gone = make_result("Kept", 20.0), make_result("Gone", 30.0)
    folder = make_board(tmp_path, withdrawn={gone.id: "it compares nothing"})
    shown = standings(read_board(folder), [kept, gone], [])
    assert [row.label for row in shown.ranked] == ["Kept"]
    assert [(row.label, row.reason) for row in shown.unranked] == [("Gone", "withdrawn: it compares nothing")]
    assert "withdrawn: it compares nothing" in page(shown)


def test_a_withdrawn_result_does_not_change_the_name_of_the_one_that_took_its_place(tmp_path):
    gone, kept = make_result("Net", 30.0, weights_hash="a"), make_result("Net", 20.0, weights_hash="b")
    folder = make_board(tmp_path, withdrawn={gone.id: "superseded"})
    for result in (gone, kept):
        leaderboard.add(folder, result)
    shown = leaderboard.read_standings(folder)
    assert [row.label for row in shown.rows] == ["Net", "Net (withdrawn)"]
    results = [row.result for row in shown.rows]
    assert find_row("Net", {folder: results})[1].id == kept.id
    assert find_row("Net (withdrawn)", {folder: results})[1].id == gone.id


def test_lower_is_better_where_it_is(board):
    scores = {"Low": 0.1, "High": 0.3}
    results = [
        make_result(name, per_image={picture: {"psnr": 20.0, "lpips": value} for picture in PICTURES})
        for name, value in scores.items()
    ]
    rows = {row.result.method: row for row in standings(board[0], results, []).rows}
    assert rows["Low"].marks == {"psnr": 1, "lpips": 1}
    assert rows["High"].marks == {"psnr": 1, "lpips": 2}, "equal means share the first place"
    assert [row.rank for row in rows.values()] == [1, 1]


def test_the_win_matrix_marks_real_differences(made):
    best, second, third = (row.result.id for row in made.ranked[:3])
    won, p = made.wins[best, second]
    lost, same = made.wins[second, best]
    assert won + lost == pytest.approx(1.0)
    assert won > 0.7
    assert p == same < 0.05
    assert (third, best) in made.wins


def test_one_row_has_no_matrix_and_no_marks(board):
    made = standings(board[0], [make_result()], [])
    assert made.rows[0].marks == {}
    assert "Win matrix" not in page(made)


def test_markdown_shows_everything(made):
    text = page(made, "elsewhere")
    best = made.ranked[0]
    mean = best.means["psnr"]
    assert f"| 1 | Best | - | **{mean.mean:.2f}** [{mean.low:.2f}, {mean.high:.2f}]" in text
    assert f"[`{best.result.id}`](elsewhere/best/{best.result.id}.json)" in text
    assert "n/a: weights not available" in text, "a missing score is never silently dropped"
    assert "incomplete: 3 of 30 pictures" in text
    assert "S1: a \\| b" in text
    assert "| Old | 2019 | 20.0 | S2 | contaminated; a note |" not in text, "Old has a result of ours"
    assert "## Beside the published numbers" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for line, after in pairwise(rows):
        if set(after) <= set("|- "):
            assert line.count(" | ") == after.count(" | ")


def test_details_of_a_board_are_on_its_page_as_they_are(tmp_path):
    table = "## Ceilings\n\n| method | dB |\n| --- | --- |\n| a | 1 |"
    text = page(standings(read_board(make_board(tmp_path, details=table)), [make_result()], []))
    assert f"\n\n{table}\n\n## Ranking\n\n" in text


def test_csv_has_a_line_per_score_and_published_number(made):
    rows = list(csv.DictReader(io.StringIO(csv_text(made))))
    assert len(rows) == len(made.rows) * 3 + 2
    first = rows[0]
    assert (first["method"], first["rank"], first["score"], first["pictures"]) == ("Best", "1", "psnr", "30")
    assert float(first["low"]) < float(first["mean"]) < float(first["high"])
    published = [row for row in rows if row["published"]]
    assert [row["status"] for row in published] == ["differs", "differs"]
    assert float(published[0]["difference"]) == pytest.approx(float(published[0]["mean"]) - 25.10, abs=1e-5)


def test_latex_marks_and_escapes(board):
    made = standings(board[0], [make_result("a_b & 50%", 1.0), make_result("C")], board[1])
    text = latex(made)
    assert "a\\_b \\& 50\\%" in text
    assert text.count("\\textbf{") == text.count("\\underline{") == 2
    lines = [line for line in text.splitlines() if line.endswith("\\\\") and "multicolumn" not in line]
    assert {line.replace("\\&", "").count("&") for line in lines} == {3}
    assert text.count("{") == text.count("}")


def test_tables_do_not_depend_on_the_order_of_files(board):
    results = [make_result(name, shift) for name, shift in (("A", 0.0), ("B", 0.1), ("C", 0.1))]
    one, two = (standings(board[0], order, board[1]) for order in (results, results[::-1]))
    assert (page(one), csv_text(one), latex(one)) == (page(two), csv_text(two), latex(two))


def test_perfect_pictures_do_not_break_the_tables(board):
    perfect = make_result("P", per_image={picture: {"psnr": math.inf, "ssim": 1.0} for picture in PICTURES})
    text = page(standings(board[0], [perfect, make_result("B")], []))
    assert "**inf** [n/a, n/a]" in text


def test_page_names_rows_that_were_scored_against_other_targets(board):
    made = [make_result(name) for name in ("A", "B", "C")]
    assert "Other targets" not in page(standings(board[0], made, []))
    outputs = make_result("Files", weights_hash=OUTPUTS_ONLY, target_hash="of files")  # another kind of hash
    text = page(standings(board[0], [*made, outputs, make_result("Odd", -5.0, target_hash="u")], []))
    assert "**Other targets.** 5 Odd: scored against targets that are not bit-equal" in text


def test_results_of_an_older_version_leave_the_plain_label_to_the_new_one(tmp_path):
    old, new = make_result("A"), replace(make_result("A"), board_version=2)
    assert list(labels([old, new]).values()) == ["A (version 1)", "A"]
