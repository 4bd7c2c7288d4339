"""Input and target folders of any name."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import make_pairs, picture, ramp, save
from PIL import Image

from bokehbench.data.decoding import ORIENTATION_TAG
from bokehbench.data.pairs import Pairs
from bokehbench.errors import BokehbenchError


def names(pictures: object) -> list[str]:
    return [record.name for record in pictures.records]  # type: ignore[attr-defined]


def ready(root: Path, stage: str = "test", **options: object) -> Pairs:
    data = Pairs(root, num_workers=0, **options)  # type: ignore[arg-type]
    data.setup(stage)
    return data


def test_plain_folders_are_test_and_training_with_a_warning(tmp_path: Path) -> None:
    data = ready(make_pairs(tmp_path), "fit")
    assert names(data.train_set) == names(data.test_set) == names(data.predict_set) == ["a", "b", "c"]
    assert any("same ones" in note for note in data.notes)


def test_seeded_split_is_disjoint_and_repeats(tmp_path: Path) -> None:
    root = make_pairs(tmp_path, [f"{i}" for i in range(40)], size=(8, 8))
    data = ready(root, "fit", train_fraction=0.75)
    train, val, test = (set(names(s)) for s in (data.train_set, data.val_set, data.test_set))
    assert (len(train), len(val), len(test)) == (27, 3, 10)
    assert len(train | val | test) == 40
    assert set(names(ready(root, "fit", train_fraction=0.75).test_set)) == test
    assert set(names(ready(root, "fit", train_fraction=0.75, split_seed=1).test_set)) != test


def test_train_and_test_folders_are_the_splits(tmp_path: Path) -> None:
    make_pairs(tmp_path / "train", ["a", "b"], target="1_8")
    make_pairs(tmp_path / "test", ["c"], target="1_8")
    data = ready(tmp_path, "fit", target="1_8")
    assert (names(data.train_set), names(data.test_set)) == (["a", "b"], ["c"])
    make_pairs(tmp_path / "val", ["d"], target="1_8")
    assert names(ready(tmp_path, "fit", target="1_8").val_set) == ["d"]


def test_optics_stay_absent_without_disparity(tmp_path: Path) -> None:
    item = ready(make_pairs(tmp_path, mask=True)).test_set[0]  # type: ignore[index]
    assert item.keys() == {"name", "image", "bokeh", "mask"}


def test_optics_that_the_user_sets_need_no_disparity(tmp_path: Path) -> None:
    make_pairs(tmp_path)
    item = ready(tmp_path, focus=0.7, aperture_at_1024=512.0).test_set[0]  # type: ignore[index]
    assert item["focus"].item() == pytest.approx(0.7)
    assert item["aperture"].item() == item["image"].shape[-2] / 2


def test_focus_is_estimated_from_disparity_and_mask(tmp_path: Path) -> None:
    item = ready(make_pairs(tmp_path, disparity=True, mask=True)).test_set[0]  # type: ignore[index]
    assert item["focus"] == item["disparity"][item["mask"] > 0.5].median()
    assert "aperture" not in item
    item = ready(tmp_path, aperture_at_1024=64.0).test_set[0]  # type: ignore[index]
    assert item["aperture"] == pytest.approx(64 * 24 / 1024)


def test_table_gives_focus_and_aperture(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["a", "1", "x.y"])
    (tmp_path / "focus_aperture.csv").write_text("name,focus,aperture\na.jpg,0.25,7\n1,,3.5\nx.y,1,\n")
    items = {item["name"]: item for item in (ready(tmp_path).test_set[i] for i in range(3))}  # type: ignore[index]
    assert (items["a"]["focus"], items["a"]["aperture"]) == (0.25, 7)
    assert items["1"]["aperture"] == 3.5
    assert "focus" not in items["1"]
    assert items["x.y"]["focus"] == 1


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("name,focus,aperture\nz,0.5,1\n", "'z' is no picture's name"),
        ("name,focus,aperture\na,0.5,1\na,0.5,2\n", "'a' has two rows"),
        ("name,focus,aperture\na,1.5,1\n", "outside"),
        ("name,focus,aperture\na,0.5,-1\n", "negative"),
        ("name,focus,aperture\na,near,1\n", "no finite number"),
        ("picture,focus,aperture\na,1,2\n", "the column 'picture' is unknown"),
        ("", "cannot be read as a table"),
    ],
)
def test_bad_tables_are_explained(tmp_path: Path, rows: str, complaint: str) -> None:
    make_pairs(tmp_path)
    (tmp_path / "t.csv").write_text(rows)
    with pytest.raises(BokehbenchError, match=complaint):
        ready(tmp_path, table="t.csv")


def test_named_things_must_be_there(tmp_path: Path) -> None:
    make_pairs(tmp_path)
    for option in ({"table": "t.csv"}, {"target": "8"}, {"disparity": "depth"}, {"mask": "m"}, {"input": "in"}):
        with pytest.raises(BokehbenchError, match=next(iter(option.values()))):
            ready(tmp_path, **option)


def test_missing_root_and_empty_folder_say_what_is_expected(tmp_path: Path) -> None:
    for data in (Pairs(), Pairs(tmp_path / "nowhere"), Pairs(tmp_path)):
        with pytest.raises(BokehbenchError, match=r"ROOT/input/NAME\.jpg"):
            data.setup("test")
    (tmp_path / "input").mkdir()
    (tmp_path / "target").mkdir()
    with pytest.raises(BokehbenchError, match="no test pictures"):
        ready(tmp_path)


def test_inputs_alone_are_for_predict(tmp_path: Path) -> None:
    make_pairs(tmp_path)
    data = ready(tmp_path, "predict", target=None)
    assert names(data.predict_set) == ["a", "b", "c"]
    with pytest.raises(BokehbenchError, match="no test pictures"):
        data.setup("test")


def test_unpaired_files_are_listed_both_ways(tmp_path: Path) -> None:
    make_pairs(tmp_path)
    (tmp_path / "target" / "a.png").unlink()
    (tmp_path / "input" / "b.png").unlink()
    found = Pairs(tmp_path).check()
    assert len(found) == 2
    assert "input/a.png: no file of the same stem in" in found[0]
    assert "target/b.png: no file of the same stem in" in found[1]


def test_odd_names_pair(tmp_path: Path) -> None:
    odd = ["with space", "ünïcode 図", "it's", 'say "x"', "comma,semi;", "a.b.c", "-dash", "#hash", "100%"]
    data = ready(make_pairs(tmp_path, odd))
    assert sorted(names(data.test_set)) == sorted(odd)
    assert sorted(batch["name"][0] for batch in data.test_dataloader()) == sorted(odd)


def test_suffix_and_pixel_format_may_differ_between_input_and_target(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["grey", "cmyk", "alpha", "turned"])
    target = tmp_path / "target"
    image = Image.fromarray(picture(0))
    for name in ("grey", "cmyk", "alpha"):
        (target / f"{name}.png").unlink()
    image.convert("L").save(target / "grey.JPG")
    image.convert("CMYK").save(target / "cmyk.jpeg")
    image.convert("RGBA").save(target / "alpha.tif")
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    save(target / "turned.png", np.ascontiguousarray(np.rot90(picture(3))), exif=exif)
    data = ready(tmp_path)
    assert data.check(deep=True) == []
    by_name = {item["name"]: item for item in (data.test_set[i] for i in range(4))}  # type: ignore[index]
    assert all(item["bokeh"].shape == (3, 24, 32) for item in by_name.values())
    assert torch.equal(by_name["turned"]["bokeh"], by_name["turned"]["image"])


def test_16_bit_disparity_keeps_its_levels(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["a"], size=(32, 64))
    (tmp_path / "disparity").mkdir()
    levels = np.arange(32 * 64, dtype=np.uint16).reshape(32, 64) * 30
    Image.fromarray(levels).save(tmp_path / "disparity" / "a.png")
    disparity = ready(tmp_path).test_set[0]["disparity"]  # type: ignore[index]
    assert torch.allclose(disparity[0], torch.from_numpy(levels / levels.max()).float())


def test_flat_disparity_becomes_zeros(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["a"], disparity=True)
    save(tmp_path / "disparity" / "a.png", np.full((24, 32), 200, dtype=np.uint8))
    assert (ready(tmp_path).test_set[0]["disparity"] == 0).all()  # type: ignore[index]


def test_nan_disparity_is_named_by_the_deep_check(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["a"], disparity=True)
    (tmp_path / "disparity" / "a.png").unlink()
    np.save(tmp_path / "disparity" / "a.npy", np.where(ramp() > 100, np.nan, 0.5).astype(np.float32))
    assert "NaN" in "\n".join(Pairs(tmp_path).check(deep=True))


def test_real_samples_load(test_data_dir: Path) -> None:
    data = ready(test_data_dir / "vabd", target="1_8")
    assert names(data.test_set) == ["0099", "0100"]
    assert data.test_set[0]["disparity"].shape == (1, 1024, 1536)  # type: ignore[index]
    assert len(ready(test_data_dir / "lightfield").test_set) == 5  # type: ignore[arg-type]


def test_do_nothing_differs_from_the_target(tmp_path: Path) -> None:
    item = ready(make_pairs(tmp_path)).test_set[0]  # type: ignore[index]
    assert 15 < -10 * math.log10((item["image"] - item["bokeh"]).square().mean()) < 60
