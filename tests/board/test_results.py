"""Stored results: append-only, atomic, idempotent; drift is refused and shown."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from made_boards import make_result

from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.results import FORMAT, Result, place, read_all, write
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
    with pytest.raises(BokehbenchError, match="was edited"):
        read_all(tmp_path)


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
    with pytest.raises(BokehbenchError, match="belongs at"):
        read_all(tmp_path)
    assert place(tmp_path, result).parent.name == "a"


def test_nothing_scored_is_no_result(tmp_path):
    with pytest.raises(BokehbenchError, match="no scored picture"):
        write(tmp_path, make_result(names=[]))
