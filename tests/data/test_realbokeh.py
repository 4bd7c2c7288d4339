"""RealBokeh as published: one photo, several f-numbers, metadata, three splits; and what a challenge gives out."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from makers import SCENES, make_realbokeh, picture, ramp, save
from PIL import Image

from bokehbench.batch import f_numbers_of, known
from bokehbench.data.collate import collate
from bokehbench.data.realbokeh import RealBokeh
from bokehbench.errors import BokehbenchError


def names(pictures: Any) -> list[str]:
    return [record.name for record in pictures.records]


def problems(root: Path, **options: Any) -> list[str]:
    return RealBokeh(root, **options).check(deep=True)


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_item_is_a_target_of_a_scene(tmp_path: Path) -> None:
    data = RealBokeh(make_realbokeh(tmp_path))
    assert data.check(deep=True) == []
    assert names(data.pictures("train")) == ["1_f2.0", "1_f11", "2_f2.0", "2_f2.8", "2_f11"]
    assert names(data.pictures("val")) == ["1_f2.0"]
    assert names(data.pictures("test")) == names(data.pictures("predict")) == ["1_f2.0", "1_f7.1", "2_f2.0", "2_f20"]
    first, second = (data.pictures("test")[i] for i in (0, 1))  # type: ignore[index]
    assert first.keys() == {"name", "image", "bokeh", "f_number"}
    assert torch.equal(first["image"], second["image"])
    assert not torch.equal(first["bokeh"], second["bokeh"])
    assert "bokeh" not in data.pictures("predict")[0]  # type: ignore[index]


def test_scene_numbers_begin_anew_in_each_split(tmp_path: Path) -> None:
    data = RealBokeh(make_realbokeh(tmp_path))
    pictures = [data.pictures(split)[0]["image"] for split in ("train", "val", "test")]  # type: ignore[index]
    assert not torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[1], pictures[2])


def test_batches_carry_the_f_number_and_nan_where_an_item_has_none(tmp_path: Path) -> None:
    items = [RealBokeh(make_realbokeh(tmp_path)).pictures("test")[i] for i in (1, 3)]  # type: ignore[index]
    batch = collate(items)
    assert batch["f_number"].shape == (2,)
    assert f_numbers_of(batch) == {"1_f7.1": 7.1, "2_f20": 20.0}
    items[0].pop("f_number")
    batch = collate(items)
    assert known(batch, "f_number").tolist() == [False, True]
    assert f_numbers_of(batch) == {"2_f20": 20.0}


def test_a_subset_of_f_numbers(tmp_path: Path) -> None:
    data = RealBokeh(make_realbokeh(tmp_path), f_numbers=[2])
    assert names(data.pictures("test")) == ["1_f2.0", "2_f2.0"]
    assert names(data.pictures("train")) == ["1_f2.0", "2_f2.0"]
    with pytest.raises(BokehbenchError, match=r"f_numbers 4.0: .* give some of 2.0, 2.8, 7.1, 11, 20"):
        RealBokeh(tmp_path, f_numbers=[4.0]).setup("test")
    for wrong in ([], [0.0], [-2.0], [float("nan")]):
        with pytest.raises(BokehbenchError, match="f_numbers"):
            RealBokeh(tmp_path, f_numbers=wrong)


def test_the_aperture_follows_the_f_number(tmp_path: Path) -> None:
    data = RealBokeh(make_realbokeh(tmp_path, disparity=True), aperture_at_1024=64.0)
    items = [data.pictures("train")[i] for i in range(4)]  # type: ignore[index]
    wanted = [64 * 24 / 1024 * 2 / number for number in (2.0, 11, 2.0, 2.8)]
    assert [float(item["aperture"]) for item in items] == pytest.approx(wanted)
    assert items[0]["focus"] == items[1]["focus"]


def test_maps_have_their_place_beside_the_inputs(tmp_path: Path) -> None:
    data = RealBokeh(make_realbokeh(tmp_path))
    places = data.map_places()
    assert len(places) == sum(len(scenes) for scenes in SCENES.values())
    for place in places.values():
        save(place, ramp())
    data = RealBokeh(tmp_path)
    assert data.check(deep=True) == []
    assert {"disparity", "focus"} <= data.pictures("test")[0].keys()  # type: ignore[index]
    place.unlink()
    assert "no file of the same stem in" in "\n".join(problems(tmp_path))


def test_without_a_validation_folder_whole_scenes_are_held_out(tmp_path: Path) -> None:
    make_realbokeh(tmp_path, {"train": dict.fromkeys(range(1, 13), (2.0, 4.0, 8.0))}, size=(8, 8))
    data = RealBokeh(tmp_path, val_fraction=0.25)
    train, val = ({name.split("_")[0] for name in names(data.pictures(split))} for split in ("train", "val"))
    assert (len(train), len(val), train & val) == (9, 3, set())
    assert len(names(data.pictures("val"))) == 9


def test_inputs_of_a_challenge_are_for_predict(tmp_path: Path) -> None:
    make_realbokeh(tmp_path, {"validation": {1: (2.0, 2.8), 2: (2.0,)}}, targets=False)
    data = RealBokeh(tmp_path)
    data.setup("predict")
    assert names(data.predict_set) == ["1_f2.0", "1_f2.8", "2_f2.0"]
    assert data.predict_set[1]["f_number"] == pytest.approx(2.8)  # type: ignore[index]
    assert any("predict alone" in note for note in data.notes)
    with pytest.raises(BokehbenchError, match="no test pictures"):
        data.setup("test")


def test_how_much_of_the_public_set_is_here_is_said(tmp_path: Path) -> None:
    data = RealBokeh(make_realbokeh(tmp_path))
    data.check()
    assert data.completeness["test"] == (4, 1257)
    data = RealBokeh(tmp_path, f_numbers=[2.0])
    data.check()
    assert not data.completeness, "how many there are at f/2.0 is not published"


def disagree(root: Path) -> None:
    edit(root / "test/metadata/1.json", target_avs=[2.0, 8.0])


def counts(root: Path) -> None:
    edit(root / "test/metadata/1.json", target_avs=[2.0])


def twice(root: Path) -> None:
    shutil.copy(root / "test/gt/1/1_f2.0.JPG", root / "test/gt/1/1_f2.00.JPG")
    edit(root / "test/metadata/1.json", target_images=["gt/1/1_f2.0.JPG", "gt/1/1_f2.00.JPG", "gt/1/1_f7.1.JPG"],
         target_avs=[2.0, 2.0, 7.1])  # fmt: skip


def listed_twice(root: Path) -> None:
    edit(root / "test/metadata/1.json", target_images=["gt/1/1_f2.0.JPG"] * 2)


def no_input(root: Path) -> None:
    (root / "test/in/1_f22.JPG").unlink()


def two_inputs(root: Path) -> None:
    shutil.copy(root / "test/in/1_f22.JPG", root / "test/in/1_f20.JPG")


def no_target(root: Path) -> None:
    (root / "test/gt/1/1_f7.1.JPG").unlink()


def no_targets(root: Path) -> None:
    shutil.rmtree(root / "test/gt/1")


def strange_target(root: Path) -> None:
    save(root / "test/gt/1/1_f5.6.JPG", picture(5), format="JPEG")


def no_number(root: Path) -> None:
    (root / "test/gt/1/1_f7.1.JPG").rename(root / "test/gt/1/wide.JPG")
    edit(root / "test/metadata/1.json", target_images=["gt/1/1_f2.0.JPG", "gt/1/wide.JPG"])


def of_another_scene(root: Path) -> None:
    (root / "test/gt/1/1_f7.1.JPG").rename(root / "test/gt/1/2_f7.1.JPG")
    edit(root / "test/metadata/1.json", target_images=["gt/1/1_f2.0.JPG", "gt/1/2_f7.1.JPG"])


def no_metadata(root: Path) -> None:
    (root / "test/metadata/1.json").unlink()


def wrong_type(root: Path) -> None:
    edit(root / "test/metadata/1.json", target_avs=["2.0", 7.1])


def not_json(root: Path) -> None:
    (root / "test/metadata/1.json").write_text("{")


def other_id(root: Path) -> None:
    edit(root / "test/metadata/1.json", id=7)


def other_input(root: Path) -> None:
    edit(root / "test/metadata/1.json", source_av=16.0)


def size(root: Path) -> None:
    save(root / "test/gt/1/1_f7.1.JPG", picture(5, (20, 32)), format="JPEG")


def truncated(root: Path) -> None:
    path = root / "test/gt/1/1_f7.1.JPG"
    path.write_bytes(path.read_bytes()[:-40])


def copied(root: Path) -> None:
    """Under another number: the numbers say nothing across splits."""
    shutil.copy(root / "train/in/2_f22.JPG", root / "test/in/1_f22.JPG")


def linked(root: Path) -> None:
    (root / "test/in/1_f22.JPG").unlink()
    (root / "test/in/1_f22.JPG").symlink_to(root / "train/in/2_f22.JPG")


BROKEN: dict[Callable[[Path], None], str] = {
    disagree: r"1_f7.1.JPG: f/7.1 by its name, f/8.0 in target_avs of 1.json: correct one, or choose",
    counts: r"1.json: has 2 target_images and 1 target_avs",
    twice: r"1_f2.00.JPG: a second target at f/2.0 of this scene",
    listed_twice: r"1.json: names a target twice",
    no_input: r"there is no input 1_fN in .*in: add it",
    two_inputs: r"a second input of scene 1 beside 1_f20.JPG",
    no_target: r"1.json: its target 1_f7.1 is not there",
    no_targets: r"1_f22.JPG: has no targets in .*gt/1: add them",
    strange_target: r"1_f5.6.JPG: is not in target_images of .*1.json",
    no_number: r"wide.JPG: is not called 1_fN, as a target of this scene",
    of_another_scene: r"2_f7.1.JPG: is not called 1_fN, as a target of this scene",
    no_metadata: r"1.json cannot be read",
    wrong_type: r"1.json is not metadata of RealBokeh \(target_avs.0: should be a valid number\)",
    not_json: r"1.json is not metadata of RealBokeh \(its text: ",
    other_id: r"1.json: its id is 7",
    other_input: r"1.json: its input is in/1_f22.JPG at f/16, but 1_f22.JPG is there",
    size: r"1_f7.1.JPG: bokeh of 32 x 20 does not fit",
    truncated: r"1_f7.1.JPG",
    copied: r"test/in/1_f22.JPG: the same photo as .*train/in/2_f22.JPG, of another split",
    linked: r"test/in/1_f22.JPG: the same photo as .*train/in/2_f22.JPG, of another split",
}


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda each: each.__name__)
def test_each_fault_is_a_sentence(break_it: Callable[[Path], None], tmp_path: Path) -> None:
    break_it(make_realbokeh(tmp_path))
    found = problems(tmp_path)
    assert any(re.search(BROKEN[break_it], problem) for problem in found), found
    assert all(problem.endswith(".") and "\n" not in problem for problem in found)
    with pytest.raises(BokehbenchError):
        RealBokeh(tmp_path).setup("test")


def test_one_of_two_f_numbers_may_be_chosen(tmp_path: Path) -> None:
    disagree(make_realbokeh(tmp_path))
    for source, f_number in (("name", 7.1), ("metadata", 8.0)):
        data = RealBokeh(tmp_path, f_number_from=source)  # type: ignore[arg-type]
        assert data.check() == []
        assert data.pictures("test")[1]["f_number"] == pytest.approx(f_number)  # type: ignore[index]
        assert data.pictures("test")[1]["name"] == "1_f7.1"  # type: ignore[index]


def test_without_metadata_the_names_decide(tmp_path: Path) -> None:
    make_realbokeh(tmp_path)
    for split in SCENES:
        shutil.rmtree(tmp_path / split / "metadata")
    data = RealBokeh(tmp_path)
    assert data.check() == []
    assert data.pictures("test")[1]["f_number"] == pytest.approx(7.1)  # type: ignore[index]
    assert any("no metadata" in note for note in data.notes)


def test_suffixes_in_any_case_and_hidden_files(tmp_path: Path) -> None:
    make_realbokeh(tmp_path)
    for path in list(tmp_path.rglob("*.JPG")):
        path.rename(path.with_suffix(".jpg"))
    (tmp_path / "test/gt/1/._1_f2.0.jpg").write_bytes(b"x")
    (tmp_path / "test/gt/._1").write_bytes(b"x")
    (tmp_path / "test/metadata/._1.json").write_bytes(b"x")
    (tmp_path / "test/in/Thumbs.db").write_bytes(b"x")
    data = RealBokeh(tmp_path)
    assert data.check(deep=True) == []
    assert len(names(data.pictures("test"))) == 4
    assert not any("Thumbs.db" in note or "._" in note for note in data.notes)


def test_another_layout_is_refused_with_the_expected_one(tmp_path: Path) -> None:
    for data in (RealBokeh(), RealBokeh(tmp_path / "nowhere"), RealBokeh(tmp_path)):
        with pytest.raises(BokehbenchError, match=r"gt/ID/ID_fN\.JPG"):
            data.setup("test")


def test_real_photos_and_metadata_load(test_data_dir: Path, tmp_path: Path) -> None:
    """Two scenes as published, less their metadata, which the samples have of other scenes."""
    photos = sorted((test_data_dir / "realbokeh").glob("*.jpg"))
    for path in photos:
        scene, number = path.stem.split("_f")
        split = tmp_path / ("train" if scene == "4641" else "test")
        place = split / "in" / path.name if number == "22" else split / "gt" / scene / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    data = RealBokeh(tmp_path)
    assert data.check() == []
    assert names(data.pictures("test")) == ["4917_f2.0", "4917_f5.0", "4917_f8.0", "4917_f13"]
    assert names(data.pictures("train")) == ["4641_f2.0", "4641_f2.8", "4641_f7.1", "4641_f14"]
    assert data.pictures("test")[0]["image"].shape == (3, 1500, 2000)  # type: ignore[index]
    # the NTIRE metadata: one of five scenes contradicts itself
    challenge = tmp_path / "challenge" / "test"
    shutil.copytree(test_data_dir / "realbokeh_meta" / "metadata", challenge / "metadata")
    for path in (challenge / "metadata").glob("*.json"):
        save(challenge / "in" / f"{path.stem}_f22.JPG", picture(int(path.stem)), format="JPEG")
    (found,) = problems(tmp_path / "challenge")
    assert "target 6_f9.0: f/9.0 by its name, f/8.0 in target_avs of 6.json" in found
    chosen = RealBokeh(tmp_path / "challenge", f_number_from="name")
    assert chosen.check() == []
    assert {"6_f9.0", "19_f2.0", "29_f2.0"} <= set(names(chosen.pictures("predict")))
    with Image.open(photos[0]) as photo:
        assert photo.size == (2000, 1500)
