"""EBB! in both layouts, whole and in part."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import make_ebb, picture, ramp, save
from pytorch_lightning import LightningModule, Trainer

from bokehbench.data.ebb import APERTURE_AT_1024, EBB
from bokehbench.data.sampling import TrainingPlan, View
from bokehbench.data.splits import read_ids
from bokehbench.errors import BokehbenchError


def names(pictures: object) -> list[str]:
    return [record.name for record in pictures.records]  # type: ignore[attr-defined]


def ready(root: Path, stage: str = "test", **options: object) -> EBB:
    data = EBB(root, num_workers=0, **options)  # type: ignore[arg-type]
    data.setup(stage)
    return data


def test_committed_lists_are_the_published_protocol() -> None:
    train, test, held = (read_ids(f"ebb_{name}") for name in ("train", "val294", "held_out"))
    assert (len(train), len(test), len(held)) == (4400, 294, 50)
    assert not train & test
    assert held < train
    assert {"4399"} <= train
    assert {"4400", "4693"} <= test


def test_public_layout_is_split_by_id(tmp_path: Path) -> None:
    data = ready(make_ebb(tmp_path, ids=(9, 10, 4349, 4350, 4399, 4400, 4693)), "fit")
    assert names(data.train_set) == ["9", "10", "4349"]
    assert names(data.val_set) == ["4350", "4399"]
    assert names(data.test_set) == names(data.predict_set) == ["4400", "4693"]
    assert data.completeness == {"train": (3, 4350), "test": (2, 294)}
    assert not data.completeness["test"].complete
    assert any("2 of 294" in note and "incomplete" in note for note in data.notes)


def test_hold_out_can_be_switched_off(tmp_path: Path) -> None:
    data = ready(make_ebb(tmp_path, ids=(1, 4350)), "fit", hold_out=False)
    assert names(data.train_set) == ["1", "4350"]
    assert data.completeness["train"] == (2, 4400)


def test_copy_without_held_out_ids_validates_on_training_pictures_and_says_so(tmp_path: Path) -> None:
    data = ready(make_ebb(tmp_path, ids=(1, 2, 4400)), "fit")
    assert names(data.val_set) == names(data.train_set) == ["1", "2"]
    assert any("4350-4399" in note for note in data.notes)


def test_items_follow_the_batch_contract(tmp_path: Path) -> None:
    root = make_ebb(tmp_path, half_depth=True)
    item = ready(root).test_set[0]  # type: ignore[index]
    assert item["name"] == "4400"
    assert {k: tuple(item[k].shape) for k in ("image", "bokeh", "disparity", "mask")} == {
        "image": (3, 24, 32),
        "bokeh": (3, 24, 32),
        "disparity": (1, 24, 32),
        "mask": (1, 24, 32),
    }
    assert item["disparity"].min() == 0
    assert item["disparity"].max() == 1
    assert item["aperture"] == pytest.approx(APERTURE_AT_1024 * 24 / 1024)
    inside = item["disparity"][item["mask"] > 0.5]
    assert item["focus"] == inside.median()
    assert item["focus"] > 0.7  # the maker's subject is near


def test_focus_without_mask_is_that_of_the_centre(tmp_path: Path) -> None:
    item = ready(make_ebb(tmp_path, mask=False)).test_set[0]  # type: ignore[index]
    assert item["focus"] == pytest.approx(0.5, abs=0.05)


def test_focus_and_aperture_can_be_set(tmp_path: Path) -> None:
    item = ready(make_ebb(tmp_path), focus=0.25, aperture_at_1024=64.0).test_set[0]  # type: ignore[index]
    assert item["focus"] == 0.25
    assert item["aperture"] == pytest.approx(1.5)


def test_without_depth_there_is_no_focus_and_no_aperture(tmp_path: Path) -> None:
    item = ready(make_ebb(tmp_path, depth=False)).test_set[0]  # type: ignore[index]
    assert not {"disparity", "focus", "aperture"} & item.keys()


def test_pynet_layout_is_split_by_folder(tmp_path: Path) -> None:
    root = make_ebb(tmp_path, ids=(0, 1, 4400), layout="pynet")
    data = ready(root, "fit")
    assert (names(data.train_set), names(data.test_set)) == (["0", "1"], ["4400"])
    assert data.test_split == "val294"
    save(root / "test" / "original" / "7.jpg", picture(0))
    save(root / "test" / "bokeh" / "7.jpg", picture(0))
    shutil.rmtree(root / "test" / "original_depth")
    shutil.rmtree(root / "test" / "focus_mask")
    data = ready(root)
    assert data.test_split == "folder"
    assert "test" not in data.completeness


def test_challenge_folder_is_for_predict_only(tmp_path: Path) -> None:
    make_ebb(tmp_path)
    save(tmp_path / "TestBokehFree" / "3.png", picture(3))
    data = ready(tmp_path, "predict")
    assert names(data.predict_set) == ["3"]
    assert "bokeh" not in next(iter(data.predict_dataloader()))
    with pytest.raises(BokehbenchError, match="no predict pictures"):
        ready(tmp_path, "predict", challenge="validation")


def test_training_batches_are_crops_of_the_pair(tmp_path: Path) -> None:
    data = ready(make_ebb(tmp_path), "fit")
    data.plan_training(TrainingPlan(batch_size=2, steps=2, view=View("crop", 8, 12)))
    first, second = data.train_dataloader()
    assert first["image"].shape == first["bokeh"].shape == (2, 3, 8, 12)
    assert (first["image"] - first["bokeh"]).abs().mean() < 0.1
    assert not torch.equal(first["image"], second["image"])


def test_unwanted_keys_are_not_read(tmp_path: Path) -> None:
    data = ready(make_ebb(tmp_path), "fit")
    data.plan_training(TrainingPlan(batch_size=1, steps=1, view=View("crop", 8, 8), keys=("image", "bokeh")))
    assert next(iter(data.train_dataloader())).keys() == {"image", "bokeh", "name"}


def test_missing_root_says_what_is_expected_and_where_to_ask(tmp_path: Path) -> None:
    for data in (EBB(), EBB(tmp_path / "nowhere"), EBB(tmp_path)):
        with pytest.raises(BokehbenchError, match=r"Training/original/ID\.jpg.*PyNET-Bokeh.*non-commercial"):
            data.setup("fit")


def problems(root: Path, deep: bool = False) -> str:
    return "\n".join(EBB(root).check(deep=deep))


def test_unpaired_and_duplicate_files_are_named(tmp_path: Path) -> None:
    make_ebb(tmp_path)
    (tmp_path / "Training" / "bokeh" / "1.jpg").unlink()
    save(tmp_path / "Training" / "original" / "2.png", picture(2))
    save(tmp_path / "Training" / "bokeh" / "77.jpg", picture(2))
    found = problems(tmp_path)
    assert "original/1.jpg: no file of the same stem" in found
    assert "2.png: 2.jpg has the same stem" in found
    assert "bokeh/77.jpg: no file of the same stem" in found
    with pytest.raises(BokehbenchError, match="3 problems"):
        ready(tmp_path, "fit")


def test_missing_depth_of_one_picture_is_named(tmp_path: Path) -> None:
    make_ebb(tmp_path)
    (tmp_path / "Training" / "original_depth" / "4401.png").unlink()
    assert "original/4401.jpg: no file of the same stem in" in problems(tmp_path)


def test_wrong_sizes_are_named(tmp_path: Path) -> None:
    make_ebb(tmp_path)
    save(tmp_path / "Training" / "bokeh" / "0.jpg", picture(0, (24, 31)))
    save(tmp_path / "Training" / "original_depth" / "1.png", ramp((32, 24)))
    found = problems(tmp_path)
    assert "31 x 24 does not fit" in found
    assert "original_depth/1.png" in found
    with pytest.raises(BokehbenchError, match="31 x 24"):
        ready(tmp_path, "fit")
    ready(tmp_path, "test")  # only the pictures that a stage reads can stop it


def test_truncated_file_is_found_before_training(tmp_path: Path) -> None:
    make_ebb(tmp_path, size=(96, 96))
    path = tmp_path / "Training" / "bokeh" / "1.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BokehbenchError, match=r"bokeh/1\.jpg: is corrupt or truncated"):
        ready(tmp_path, "fit")


@pytest.mark.filterwarnings("ignore")
def test_trainer_stops_before_the_first_step(tmp_path: Path) -> None:
    class Idle(LightningModule):
        def training_step(self, batch: object, batch_idx: int) -> None:
            raise AssertionError("a step was made")

        def configure_optimizers(self) -> None:
            return None

    make_ebb(tmp_path)
    (tmp_path / "Training" / "bokeh" / "1.jpg").write_bytes(b"")
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", enable_progress_bar=False)
    with pytest.raises(BokehbenchError, match=r"train split: 1 problem:\n.*bokeh/1\.jpg: the file is empty"):
        trainer.fit(Idle(), datamodule=EBB(tmp_path, num_workers=0))


def test_damage_inside_a_file_is_found_by_the_deep_check(tmp_path: Path) -> None:
    make_ebb(tmp_path)
    path = tmp_path / "Training" / "original_depth" / "2.png"
    content = bytearray(path.read_bytes())
    content[50:60] = bytes(10)
    path.write_bytes(bytes(content))
    assert problems(tmp_path) == ""
    assert "original_depth/2.png" in problems(tmp_path, deep=True)


def test_colour_mapped_depth_is_refused(tmp_path: Path) -> None:
    make_ebb(tmp_path)
    save(tmp_path / "Training" / "original_depth" / "0.png", picture(9))
    assert "colour picture" in problems(tmp_path, deep=True)


def test_suffixes_in_any_case_and_hidden_files(tmp_path: Path) -> None:
    make_ebb(tmp_path, ids=(0, 4400))
    folder = tmp_path / "Training"
    for kind in ("original", "bokeh"):
        (folder / kind / "0.jpg").rename(folder / kind / "0.JPG")
        (folder / kind / "._0.jpg").write_bytes(b"a Mac's resource fork")
    assert EBB(tmp_path).check() == []


@pytest.mark.parametrize("options", [{"focus": 2.0}, {"aperture_at_1024": -1.0}])
def test_impossible_optics_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(BokehbenchError, match="--data"):
        EBB(**options)  # type: ignore[arg-type]


def test_real_pairs_score_as_measured(test_data_dir: Path) -> None:
    """PSNR of the identity baseline in 8-bit RGB, as the sample data's own README states."""
    data = ready(test_data_dir / "ebb")
    expected = {"4545": 19.74, "4546": 25.75}
    for item in (data.test_set[i] for i in range(len(data.test_set))):  # type: ignore[index, arg-type]
        error = (item["image"] - item["bokeh"]).mul(255).double().square().mean().item()
        assert 10 * np.log10(255**2 / error) == pytest.approx(expected[item["name"]], abs=0.01)
