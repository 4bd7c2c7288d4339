"""Stored results: append-only, atomic, idempotent; drift is refused and shown."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest
from made_boards import make_board, make_result

from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.markdown import page
from bokehbench.board.results import FORMAT, Result, place, read, read_all, read_stored, write
from bokehbench.board.standings import standings
from bokehbench.board.tables import csv_text, latex
from bokehbench.errors import BokehbenchError


def moved(result, by):
    """The same result with the first picture's PSNR changed."""
    per_image = {name: dict(row) for name, row in result.per_image.items()}
    per_image["0000"]["psnr"] += by
    return replace(result, per_image=per_image)


def test_what_is_written_is_read_again(tmp_path):
    scores = {"b": {"psnr": math.inf, "ssim": 1.0}, "a": {"psnr": 20.123456, "ssim": math.nan}}
    result = make_result(
        "D2F é", names=[], per_image=scores, seed=7, macs=5, macs_size=(8, 9), flags=("dirty",), peak_memory=123,
        seconds_per_image=0.25, training={"stages": [{"name": "fusion", "steps": 3}]}, versions={"torch": "2.6"},
    )  # fmt: skip
    path = write(tmp_path, result)
    assert path == tmp_path / "results" / "d2f" / f"{result.id}.json"
    (back,) = read_all(tmp_path)
    assert back.id == result.id
    assert math.isnan(back.per_image["a"]["ssim"])
    assert back.values("psnr") == {"a": 20.123456, "b": math.inf}
    assert back.values("ssim") == {"b": 1.0}
    assert (back.seed, back.macs_size, back.flags) == (7, (8, 9), ("dirty",))
    assert back.to_json() == result.to_json() == path.read_text()


def test_writing_twice_changes_nothing(tmp_path):
    first = make_result(device="cpu", date="2026-01-01")
    path = write(tmp_path, first)
    before = path.read_bytes()
    assert write(tmp_path, replace(moved(first, 1e-5), device="cuda", date="2026-02-02")) == path
    assert path.read_bytes() == before
    assert len(list(tmp_path.rglob("*.*"))) == 1, "no drafts left"


def test_other_numbers_of_the_same_identity_are_drift_and_shown(tmp_path):
    result = make_result()
    path = write(tmp_path, result)
    before = path.read_bytes()
    with pytest.raises(BokehbenchError, match=r"(?s)Drift.*0000 psnr: \d+\.\d{4} -> \d+\.\d{4}"):
        write(tmp_path, moved(result, 0.5))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"method": "B"}, {"board_version": 2}, {"architecture": {"channels": 8}}, {"weights_hash": "abc"},
        {"inference": {"aperture": 4.0}}, {"flags": ("dirty",)},
    ],
)  # fmt: skip
def test_every_part_of_the_identity_counts(tmp_path, change):
    result = make_result()
    write(tmp_path, result)
    write(tmp_path, replace(moved(result, 1.0), **change))
    assert len(read_all(tmp_path)) == 2


@pytest.mark.parametrize("change", [{"commit": "f" * 40}, {"device": "gpu"}, {"seed": 3}, {"target_hash": "other"}])
def test_circumstances_are_no_part_of_the_identity(change):
    assert replace(make_result(), **change).id == make_result().id


def test_outputs_without_a_model_are_told_apart_by_their_pictures():
    one = make_result(weights_hash=OUTPUTS_ONLY, prediction_hash="1")
    assert one.id != replace(one, prediction_hash="2").id


def test_an_incomplete_run_does_not_block_the_complete_one(tmp_path):
    write(tmp_path, moved(make_result(names=["0000", "0001"]), 1.0))
    write(tmp_path, make_result())
    assert len(read_all(tmp_path)) == 2


def test_writers_at_once_lose_nothing(tmp_path):
    results = [make_result(f"M{number % 12}") for number in range(48)]
    with ThreadPoolExecutor(16) as pool:
        paths = list(pool.map(lambda result: write(tmp_path, result), results))
    assert {result.method for result in read_all(tmp_path)} == {f"M{number}" for number in range(12)}
    assert sorted(tmp_path.rglob("*.*")) == sorted(set(paths))


def test_an_edited_file_is_refused(tmp_path):
    path = write(tmp_path, make_result("Mine"))
    path.write_text(path.read_text().replace('"method": "Mine"', '"method": "Yours"'))
    other = write(tmp_path, make_result("Other"))
    found, left_out = read_stored(tmp_path)
    assert [result.method for result in found] == ["Other"]
    assert other.is_file()
    assert "was edited" in left_out[0]


WRONG = (None, [], "x", -1, {"a": [{"b": []}]}, [[[]]], 10**400, True)
FIELDS = [field.name for field in fields(Result)]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_the_wrong_type_is_named_and_never_comes_to_a_table(name, tmp_path):
    """Each field x each type: what is read can be shown, or the file and the field are named."""
    board = make_board(tmp_path)
    good = make_result("Good", training={"seed": 1}, network={"name": "X", "published_parameters": 3})
    write(board, good)
    content = json.loads(make_result("Bad").to_json())
    refused = 0
    for value in WRONG:
        file = tmp_path / "odd.json"
        file.write_text(json.dumps(content | {name: value}))
        try:
            odd, said = read(file), None
        except BokehbenchError as error:
            refused += 1
            said = str(error)
        if said is not None:
            assert "odd.json" in said
            assert name in said or "identity" in said
        else:
            rows = standings(read_board(board), [good, odd], [])
            assert page(rows) and csv_text(rows) and latex(rows)  # noqa: PT018
    assert refused >= 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("training", {"origins": [{"role": "start"}]}), ("training", {"origins": 3}),
        ("training", {"effort": {"seconds": "long"}}), ("training", {"code": [1]}), ("network", {"differs": {"a": 3}}),
        ("network", {"name": "X", "published_parameters": 0}), ("inference", {"data": [1]}), ("missing", {"lpips": 3}),
        ("per_image", {"a": {"psnr": "high"}}), ("per_image", {"a": 3}), ("fingerprints", {"a": ["x"]}),
        ("macs_size", [1]), ("method", "x" * 300), ("method", ""), ("seconds_per_image", 1e999), ("flags", ["odd"]),
        ("curves", {"a": {"K": [4, 8], "A": [4]}}), ("curves", {"a": {"d": [0.5], "r": ["inf"]}}),
    ],
)  # fmt: skip
def test_what_lies_inside_a_field_is_checked_too(field, value):
    content = json.loads(make_result().to_json()) | {field: value}
    with pytest.raises(BokehbenchError, match=rf"^over there\.json .*{field[:4]}"):
        Result.from_json(json.dumps(content), "over there.json")


@pytest.mark.parametrize("text", ["[" * 100_000, '"\\ud800"', '{"format": 3, "x": "\\ud800"}', "NaN", "\x00", "1e999"])
def test_odd_text_is_no_result(text):
    with pytest.raises(BokehbenchError, match=r"over there\.json"):
        Result.from_json(text, "over there.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": 3, "id": "x"}'])
def test_what_is_no_result_is_named(text):
    with pytest.raises(BokehbenchError, match=r"over there\.json is not a result"):
        Result.from_json(text, "over there.json")


def test_a_newer_format_says_so():
    text = make_result().to_json().replace(f'"format": {FORMAT}', '"format": 99')
    with pytest.raises(BokehbenchError, match="format 99"):
        Result.from_json(text)


def test_a_file_in_the_wrong_folder_is_named(tmp_path):
    result = make_result()
    other = tmp_path / "results" / "other" / f"{result.id}.json"
    other.parent.mkdir(parents=True)
    other.write_text(result.to_json())
    assert "belongs at" in read_stored(tmp_path)[1][0]
    assert place(tmp_path, result).parent.name == "a"


def test_nothing_scored_is_no_result(tmp_path):
    with pytest.raises(BokehbenchError, match="no scored picture"):
        write(tmp_path, make_result(names=[]))
