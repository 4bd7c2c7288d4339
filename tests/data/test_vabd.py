"""VABD as published: the same view at four f-numbers, in folders named by them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from makers import make_vabd, picture, save

from bokehbench.data.vabd import VABD
from bokehbench.errors import BokehbenchError


def names(pictures: Any) -> list[str]:
    return [record.name for record in pictures.records]


def test_each_target_is_an_item_with_its_f_number(tmp_path: Path) -> None:
    data = VABD(make_vabd(tmp_path), aperture_at_1024=64.0)
    assert data.check(deep=True) == []
    assert names(data.pictures("train")) == ["0001_f1.8", "0001_f2.8", "0001_f8.0"]
    assert names(data.pictures("test")) == ["0002_f1.8", "0002_f2.8", "0002_f8.0"]
    items = [data.pictures("test")[i] for i in range(3)]  # type: ignore[index]
    assert [float(item["f_number"]) for item in items] == pytest.approx([1.8, 2.8, 8.0])
    assert [float(item["aperture"]) for item in items] == pytest.approx([1.5 * 1.8 / n for n in (1.8, 2.8, 8.0)])
    assert {"disparity", "mask", "focus", "bokeh"} <= items[0].keys()


def test_apertures_of_ones_own_and_a_subset(tmp_path: Path) -> None:
    make_vabd(tmp_path)
    for split, name in (("train", "0001"), ("test", "0002")):
        save(tmp_path / split / "5_6" / f"{name}.jpg", picture(1))
    assert names(VABD(tmp_path, f_numbers=[5.6, 8]).pictures("test")) == ["0002_f5.6", "0002_f8.0"]


def test_maps_are_found_in_depth_or_else_written_there(tmp_path: Path) -> None:
    make_vabd(tmp_path, maps=False)
    data = VABD(tmp_path)
    assert "focus" not in data.pictures("test")[0]  # type: ignore[index]
    assert {place.parent.name for place in data.map_places().values()} == {"depth"}


def test_faults_are_sentences(tmp_path: Path) -> None:
    make_vabd(tmp_path)
    (tmp_path / "test" / "2_8" / "0002.JPG").unlink()
    save(tmp_path / "test" / "8" / "0009.JPG", picture(9), format="JPEG")
    found = "\n".join(VABD(tmp_path).check())
    assert "input/0002.JPG: no file of the same stem in" in found
    assert "8/0009.JPG: no file of the same stem in" in found
    for name in ("1_8", "2_8", "8"):
        shutil.rmtree(tmp_path / "test" / name)
    with pytest.raises(BokehbenchError, match=r"no folder of targets\. VABD is expected as"):
        VABD(tmp_path).setup("test")


def test_a_scene_in_train_and_test_is_named(tmp_path: Path) -> None:
    make_vabd(tmp_path)
    shutil.copy(tmp_path / "train" / "input" / "0001.JPG", tmp_path / "test" / "input" / "0002.JPG")
    (problem,) = VABD(tmp_path).check()
    assert "the same photo as" in problem


def test_real_samples_load(test_data_dir: Path) -> None:
    data = VABD(test_data_dir / "vabd")
    assert data.check() == []
    assert names(data.pictures("test")) == [f"{n}_f{f}" for f in ("1.8", "2.8", "8.0") for n in ("0099", "0100")]
    assert data.pictures("test")[0]["disparity"].shape == (1, 1024, 1536)  # type: ignore[index]
