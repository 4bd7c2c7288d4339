"""Reading board.yaml, finding boards, admitting results, and the byte check."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from made_boards import PICTURES, make_board, make_result

from bokehbench.board import boards, leaderboard
from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.results import read_all, write
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.protocols import find_protocol


def test_ids_keep_their_zeros(tmp_path):
    board = read_board(make_board(tmp_path, ids=["0000-0027", "x-1", "0029"]))
    assert board.ids == {*(f"{n:04d}" for n in range(28)), "x-1", "0029"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "make them the same"), ({"rank_by": "lpip"}, "not one of its columns"),
        ({"count": 29}, "lists 30 ids"), ({"protocol": "dmshm"}, "no protocol 'dmshm'"), ({"colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_a_wrong_board_is_explained(tmp_path, change, message):
    with pytest.raises(BokehbenchError, match=message):
        read_board(make_board(tmp_path, **change))


def test_a_folder_that_is_no_board_and_a_name_that_is_none(tmp_path, monkeypatch):
    with pytest.raises(BokehbenchError, match=r"no readable board\.yaml"):
        read_board(tmp_path)
    make_board(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert boards.names() == ["tiny"]
    assert boards.find("tiny").name == "tiny"
    with pytest.raises(BokehbenchError, match="did you mean 'tiny'"):
        boards.find("tyni")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"board": "other"}, "measured for other version 1"), ({"board_version": 2}, "version 2"),
        ({"protocol": find_protocol("dmshn").describe()}, "another protocol"),
        ({"per_image": {"4400": {"psnr": 20.0}}}, "not in Tiny30"),
        ({"per_image": {"0000": {"ssim": 0.9}}}, "no psnr"),
        ({"target_hash": "mine"}, "other targets"),
    ],
)  # fmt: skip
def test_what_does_not_belong_is_not_admitted(tmp_path, change, message):
    board = read_board(make_board(tmp_path, target_hash="t"))
    with pytest.raises(BokehbenchError, match=message):
        leaderboard.admit(board, replace(make_result(), **change))


def test_made_scenes_of_other_settings_are_not_admitted_under_the_same_names(tmp_path):
    arguments = {"size": 320, "blur_radius": None}
    board = read_board(make_board(tmp_path, data={"name": "syntheticdof", "arguments": arguments}))
    tested = {"class": "SyntheticDoF", "size": 320, "slope_probability": 0.5}
    leaderboard.admit(board, make_result(inference={"data": tested}))
    leaderboard.admit(board, make_result())  # pictures of a folder: nothing is known
    for other, words in (({"size": 128}, "size 128 instead of 320"), ({"blur_radius": 4.0}, "aperture 4.0 instead")):
        with pytest.raises(BokehbenchError, match=words):
            leaderboard.admit(board, make_result(inference={"data": tested | other}))


def test_a_reworded_summary_is_no_other_protocol(tmp_path):
    board = read_board(make_board(tmp_path))
    reworded = find_protocol("bokehbench").describe() | {"summary": "in other words"}
    assert leaderboard.admit(board, make_result(protocol=reworded)).protocol["summary"] == "in other words"


def test_the_board_decides_flags(tmp_path):
    board = read_board(make_board(tmp_path, contaminated={"leaky": "why"}))
    admit = leaderboard.admit
    assert admit(board, make_result()).flags == ()
    assert admit(board, make_result(flags=("dirty", "incomplete"))).flags == ("dirty",)
    assert admit(board, make_result(names=PICTURES[:5])).flags == ("incomplete",)
    assert admit(board, make_result(weights_hash="leaky")).flags == ("contaminated",)


def test_the_same_outputs_under_two_names_are_refused(tmp_path):
    folder = make_board(tmp_path)
    leaderboard.add(folder, make_result("BokehMe", weights_hash=OUTPUTS_ONLY))
    leaderboard.add(folder, make_result("BokehMe", weights_hash=OUTPUTS_ONLY))
    with pytest.raises(BokehbenchError, match="BokehDiff are byte-identical to those of BokehMe"):
        leaderboard.add(folder, make_result("BokehDiff", weights_hash=OUTPUTS_ONLY))


def test_check_finds_what_was_withdrawn_and_is_not_there(tmp_path):
    folder = make_board(tmp_path, withdrawn={"0123456789ab": "why"})
    leaderboard.render(folder)
    assert leaderboard.check(folder) == [f"{folder / 'board.yaml'}: there is no result 0123456789ab to withdraw."]


def test_check_finds_every_changed_byte(tmp_path):
    folder = make_board(tmp_path)
    (tmp_path / "docs" / "leaderboards").mkdir(parents=True)
    leaderboard.add(folder, make_result("A"))
    assert len(leaderboard.check(folder)) == 4, "nothing is rendered yet"
    written = leaderboard.render(folder)
    assert tmp_path / "docs" / "leaderboards" / "tiny.md" in written
    assert leaderboard.check(folder) == []
    for path in written:
        good = path.read_bytes()
        path.write_bytes(good + b"\n" if path.suffix == ".tex" else good.replace(b"A", b"B", 1))
        (problem,) = leaderboard.check(folder)
        assert str(path) in problem
        path.write_bytes(good)
    leaderboard.add(folder, make_result("New"))
    assert len(leaderboard.check(folder)) == 4
    leaderboard.render(folder)
    assert leaderboard.check(folder) == []


def test_check_finds_results_that_should_not_be_there(tmp_path):
    folder = make_board(tmp_path)
    write(folder, make_result(names=PICTURES[:2]))
    leaderboard.render(folder)
    (problem,) = leaderboard.check(folder)
    assert "should be ('incomplete',)" in problem


def test_the_docs_link_to_the_results(tmp_path):
    folder = make_board(tmp_path)
    docs = tmp_path / "docs" / "leaderboards"
    docs.mkdir(parents=True)
    leaderboard.add(folder, make_result("A"))
    leaderboard.render(folder)
    (result,) = read_all(folder)
    for page in (folder / "table.md", docs / "tiny.md"):
        link = next(word for word in page.read_text().split("(") if word.endswith(".json) |\n") or ".json)" in word)
        assert (page.parent / link.split(")")[0]).resolve().stem == result.id
        assert (page.parent / link.split(")")[0]).exists()


def test_an_installed_board_is_copied_before_it_is_written_to(tmp_path, monkeypatch):
    package = tmp_path / "package"
    make_board(package)
    (package / "benchmark").mkdir()
    monkeypatch.setattr(boards, "__file__", str(package / "benchmark" / "boards.py"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert boards.find("tiny") == package / "leaderboards" / "tiny"
    own = boards.find("tiny", writable=True)
    assert own.resolve() == tmp_path / "work" / "leaderboards" / "tiny"
    assert yaml.safe_load((own / "board.yaml").read_text())["name"] == "tiny"
    assert boards.find("tiny", writable=True) == own
