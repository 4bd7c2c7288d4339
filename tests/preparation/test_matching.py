"""Which photos belong together, by each of the three ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_photos import save_photo, scene, similarity, taken

from bokehbench.errors import BokehbenchError
from bokehbench.preparation.pairs.facts import read_facts
from bokehbench.preparation.pairs.matching import match_photos

SIZE = (96, 128)


def photo(place: Path, seed: int = 0, seconds: float | None = None, blur: float | None = None) -> Path:
    pixels = scene(seed, SIZE)
    if blur is not None:
        pixels = taken(pixels, similarity(SIZE, x=2), (0.8, 0.8, 0.8), blur)
    time = None if seconds is None else f"2026:11:29 12:{int(seconds) // 60:02}:{int(seconds) % 60:02}"
    return save_photo(place, pixels, 2.0, time)


def stems(pairs: list[tuple[Path, Path]]) -> list[tuple[str, str]]:
    return sorted((a.stem, b.stem) for a, b in pairs)


def test_by_name_less_the_f_number(tmp_path: Path) -> None:
    names = ["a_f16", "B-F16", "c", "d_f16", "d_f8"], ["a_f1.8", "b-f1_8", "c", "d_f2"]
    narrow, wide = ([tmp_path / side / f"{name}.jpg" for name in each] for side, each in zip("nw", names, strict=True))
    found = match_photos(narrow, wide)
    assert found.way == "name"
    assert stems(found.pairs) == [("B-F16", "b-f1_8"), ("a_f16", "a_f1.8"), ("c", "c")]
    assert len(found.left_over) == 3, "with two candidates neither is taken"
    assert all("d" in line and "more than one photo" in line for line in found.left_over)


def test_by_time_one_photo_has_one_partner_and_what_is_alone_is_named(tmp_path: Path) -> None:
    """Shot after shot: the next pair's first photo is as near as the own partner."""
    narrow = [photo(tmp_path / "n" / f"{n}.jpg", seconds=s) for n, s in ((1, 0), (3, 8), (5, 300), (7, 400))]
    wide = [photo(tmp_path / "w" / f"{n}.jpg", seconds=s) for n, s in ((2, 4), (4, 12), (8, 402), (9, None))]
    found = match_photos(narrow, wide)
    assert found.way == "time"
    assert stems(found.pairs) == [("1", "2"), ("3", "4"), ("7", "8")]
    assert len(found.left_over) == 2
    assert f"{narrow[2]}: left over, no partner by time." in found.left_over
    assert f"{wide[3]}: left over, its EXIF has no capture time." in found.left_over


def test_by_content_where_neither_name_nor_time_fits(tmp_path: Path) -> None:
    narrow = [photo(tmp_path / "n" / f"n{seed}.jpg", seed) for seed in (1, 2, 3)]
    wide = [photo(tmp_path / "w" / f"w{seed}.jpg", seed, blur=2) for seed in (3, 1, 4, 2)]
    broken = tmp_path / "w" / "broken.jpg"
    broken.write_bytes(b"no picture")
    found = match_photos(narrow, [*wide, broken])
    assert found.way == "content"
    assert stems(found.pairs) == [("n1", "w1"), ("n2", "w2"), ("n3", "w3")]
    assert len(found.left_over) == 2
    assert "broken.jpg: is not a picture" in found.left_over[1]


def test_a_way_that_finds_nothing_is_refused(tmp_path: Path) -> None:
    one, other = photo(tmp_path / "n" / "a.jpg", 1), photo(tmp_path / "w" / "b.jpg", 2)
    for way in ("name", "time", "content", None):
        with pytest.raises(BokehbenchError, match="give another --match"):
            match_photos([one], [other], way)


def test_facts_of_a_photo(tmp_path: Path) -> None:
    facts = read_facts(photo(tmp_path / "a.jpg", seconds=65))
    assert facts.f_number == 2
    assert facts.focal_length is None
    assert facts.time == read_facts(photo(tmp_path / "b.jpg", seconds=5)).time + 60
