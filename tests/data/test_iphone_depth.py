"""RGB-D collections: polarity, missing depth, rendered targets, saliency pictures in every batch."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import make_rgbd, make_saliency, picture, save
from PIL import Image
from torch import Tensor

from bokehbench.batch import known
from bokehbench.cli import main
from bokehbench.data.augment import Item
from bokehbench.data.iphone_depth import IPhoneDepth
from bokehbench.data.rendering import RENDERERS
from bokehbench.data.saliency import turn_of
from bokehbench.data.sampling import TrainingPlan, View
from bokehbench.errors import BokehbenchError
from bokehbench.optics import layered, ray_traced, scatter, signed_defocus, to_linear, to_srgb


def names(pictures: object) -> list[str]:
    return [record.name for record in pictures.records]  # type: ignore[attr-defined]


def ready(root: Path, stage: str = "test", **options: object) -> IPhoneDepth:
    data = IPhoneDepth(root, num_workers=0, **options)  # type: ignore[arg-type]
    data.setup(stage)
    return data


def test_depth_becomes_disparity_with_near_at_one(tmp_path: Path) -> None:
    disparity = ready(make_rgbd(tmp_path)).test_set[0]["disparity"][0]  # type: ignore[index]
    assert disparity[5, -1] == 1  # 0.5 m
    assert disparity[5, 0] == 0  # 5 m
    middle = 5000 + (500 - 5000) * 16 / 31
    assert disparity[5, 16] == pytest.approx((1 / middle - 1 / 5000) / (1 / 500 - 1 / 5000), abs=1e-3)
    assert disparity[0, 0] == 0  # missing


def test_disparity_files_keep_their_direction(tmp_path: Path) -> None:
    make_rgbd(tmp_path, ["a"])
    (tmp_path / "depth" / "a.png").unlink()
    values = np.tile(np.linspace(3, 7, 32, dtype=np.float32), (24, 1))
    values[2, 2] = np.nan
    np.save(tmp_path / "depth" / "a.npy", values)
    disparity = ready(tmp_path, depth_kind="disparity", train_fraction=0.0).test_set[0]["disparity"][0]  # type: ignore[index]
    assert (disparity[5, 0], disparity[5, -1], disparity[2, 2]) == (0, 1, 0)


def test_lists_are_the_splits(tmp_path: Path) -> None:
    make_rgbd(tmp_path)
    (tmp_path / "test.txt").write_text("b\n# comment\nd.jpg\n\n")
    data = ready(tmp_path, "fit")
    assert (names(data.train_set), names(data.test_set)) == (["a", "c"], ["b", "d"])
    (tmp_path / "val.txt").write_text("c")
    data = ready(tmp_path, "fit")
    assert (names(data.train_set), names(data.val_set)) == (["a"], ["c"])


def test_split_without_lists_is_seeded(tmp_path: Path) -> None:
    make_rgbd(tmp_path, [f"{i}" for i in range(30)], size=(8, 8))
    data = ready(tmp_path, "fit")
    parts = [set(names(s)) for s in (data.train_set, data.val_set, data.test_set)]
    assert [len(part) for part in parts] == [27, 1, 2]
    assert len(set.union(*parts)) == 30


def test_bad_lists_are_explained(tmp_path: Path) -> None:
    make_rgbd(tmp_path)
    (tmp_path / "train.txt").write_text("a\nzebra\n")
    (tmp_path / "test.txt").write_text("a\nb\n")
    found = "\n".join(IPhoneDepth(tmp_path).check())
    assert "no picture 'zebra'" in found
    assert "'a' is in both" in found


def test_targets_of_test_pictures_are_fixed_by_the_name(tmp_path: Path) -> None:
    make_rgbd(tmp_path, ["a", "b", "c"])
    (tmp_path / "test.txt").write_text("b\nc")
    first = ready(tmp_path).test_set[1]  # type: ignore[index]
    (tmp_path / "test.txt").write_text("c")
    again = ready(tmp_path).test_set[0]  # type: ignore[index]
    assert first["name"] == again["name"] == "c"
    assert torch.equal(first["bokeh"], again["bokeh"])


def traced(light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
    return ray_traced(light, disparity, focus, aperture)


def scattered(light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
    return scatter(light, signed_defocus(disparity, focus, aperture))


SPREADS: dict[str, Callable[..., Tensor]] = {"raytraced": traced, "layered": layered, "scatter": scattered}


@pytest.mark.parametrize(
    ("options", "renderer"), [({}, "raytraced"), *(({"renderer": name}, name) for name in RENDERERS)]
)
def test_targets_are_ray_traced_in_linear_light_or_as_one_asks(
    tmp_path: Path, options: dict[str, object], renderer: str
) -> None:
    make_rgbd(tmp_path, size=(48, 64))
    item = ready(tmp_path, train_fraction=0.0, max_aperture_at_1024=100.0, **options).test_set[0]  # type: ignore[index]
    parts = to_linear(item["image"][None]), item["disparity"][None], item["focus"][None], item["aperture"][None]
    for name, spread in SPREADS.items():
        difference = float((item["bokeh"] - to_srgb(spread(*parts))[0]).abs().max())
        assert difference < 1e-6 if name == renderer else difference > 0.005, name


def test_the_data_set_says_which_renderer_made_its_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_rgbd(tmp_path)
    assert IPhoneDepth(tmp_path).settings()["renderer"] == "raytraced"
    assert main(["data", "describe", "--data", "iphonedepth", "--data.root", str(tmp_path)]) == 0
    assert "rendered from the depth (--data.renderer raytraced)" in capsys.readouterr().out


def bits(item: Item) -> str:
    return hashlib.sha256(item["bokeh"].numpy().tobytes()).hexdigest()


def test_targets_are_the_same_bits_for_any_number_of_threads_in_any_process(tmp_path: Path) -> None:
    make_rgbd(tmp_path, ["a"], size=(201, 301))
    script = (
        "import hashlib, sys, torch; from bokehbench.data import IPhoneDepth; torch.set_num_threads(3);"
        "data = IPhoneDepth(sys.argv[1], num_workers=0, train_fraction=0.0); data.setup('test');"
        "bits = hashlib.sha256(data.test_set[0]['bokeh'].numpy().tobytes()).hexdigest();"
        "print(bits, torch.get_num_threads())"
    )
    found = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    here = ready(tmp_path, train_fraction=0.0).test_set[0]  # type: ignore[index]
    assert torch.get_num_threads() != 3
    assert found.stdout.split()[-2:] == [bits(here), "3"], "and the caller's setting is left as it was"


@pytest.mark.parametrize("renderer", RENDERERS)
def test_training_targets_are_drawn_again_and_rendered_from_the_crop(tmp_path: Path, renderer: str) -> None:
    make_rgbd(tmp_path, ["a", "b"], size=(48, 64))
    data = ready(tmp_path, "fit", train_fraction=0.5, renderer=renderer, max_aperture_at_1024=100.0)
    data.plan_training(TrainingPlan(batch_size=2, steps=3, view=View("crop", 16, 24)))
    batches = list(data.train_dataloader())
    focus = torch.cat([batch["focus"] for batch in batches])
    aperture = torch.cat([batch["aperture"] for batch in batches])
    assert len(focus.unique()) > 3
    assert len(aperture.unique()) == 6
    assert (aperture <= 100 * (48 * 64) ** 0.5 / 1024).all()
    for batch in batches:
        assert batch["bokeh"].shape == (2, 3, 16, 24)
        assert ((batch["bokeh"] >= 0) & (batch["bokeh"] <= 1)).all()
        assert not torch.equal(batch["bokeh"], batch["image"])


@pytest.mark.parametrize(("renderer", "tolerance"), [("raytraced", 1e-6), ("layered", 1e-4), ("scatter", 1e-4)])
def test_crop_shows_light_from_beyond_its_edge(tmp_path: Path, renderer: str, tolerance: float) -> None:
    """A crop's target is the same as the crop of the whole picture's target."""
    make_rgbd(tmp_path, ["a", "b"], size=(48, 64))
    options = {"min_aperture_at_1024": 100.0, "max_aperture_at_1024": 100.0, "renderer": renderer}
    data = ready(tmp_path, "fit", train_fraction=0.5, **options)
    data.plan_training(TrainingPlan(batch_size=1, steps=1, view=View("crop", 16, 16), flips=False))
    batch = next(iter(data.train_dataloader()))
    pictures = data.train_set.pictures  # type: ignore[union-attr]
    whole = pictures.load(0) | {"focus": batch["focus"][0], "aperture": batch["aperture"][0]}
    target = pictures.rendered(whole)["bokeh"]
    places = whole["image"].unfold(1, 16, 1).unfold(2, 16, 1)
    distance = (places - batch["image"][0, :, None, None]).abs().amax((0, 3, 4))
    y, x = divmod(int(distance.argmin()), distance.shape[1])
    assert distance[y, x] == 0
    assert torch.allclose(target[:, y : y + 16, x : x + 16], batch["bokeh"][0], atol=tolerance, rtol=0)


def test_stage_that_wants_no_target_gets_none(tmp_path: Path) -> None:
    data = ready(make_rgbd(tmp_path), "fit")
    data.plan_training(TrainingPlan(2, 1, view=View("resize", 16, 16), keys=("image", "disparity", "mask")))
    batch = next(iter(data.train_dataloader()))
    assert "bokeh" not in batch
    assert batch["disparity"].shape == (2, 1, 16, 16)


@pytest.mark.parametrize("style", ["msra", "duts"])
def test_half_of_each_batch_are_saliency_pictures(tmp_path: Path, style: str) -> None:
    root, saliency = make_rgbd(tmp_path / "rgbd"), make_saliency(tmp_path / "saliency", style=style)
    data = ready(root, "fit", saliency_roots=[str(saliency)])
    keys = ("image", "disparity", "mask")
    data.plan_training(TrainingPlan(batch_size=4, steps=5, view=View("resize", 16, 16), flips=False, keys=keys))
    seen = set()
    for batch in data.train_dataloader():
        salient = known(batch, "mask")
        assert salient.sum() == 2
        assert torch.equal(known(batch, "disparity"), ~salient)
        seen |= {name for name, is_salient in zip(batch["name"], salient.tolist(), strict=True) if is_salient}
    assert seen == {"s1", "s2"}


@pytest.mark.parametrize("keys", [None, ("image", "bokeh", "disparity", "focus", "aperture")])
def test_a_stage_that_wants_targets_gets_no_saliency_pictures(tmp_path: Path, keys) -> None:
    root, saliency = make_rgbd(tmp_path / "rgbd"), make_saliency(tmp_path / "saliency")
    data = ready(root, "fit", saliency_roots=[str(saliency)])
    data.plan_training(TrainingPlan(batch_size=4, steps=2, view=View("resize", 16, 16), keys=keys))
    for batch in data.train_dataloader():
        assert known(batch, "bokeh").all()
        assert known(batch, "disparity").all()


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.3, 0.5, 1.0])
def test_saliency_turns_are_even_and_skip_none(fraction: float) -> None:
    turns = [turn_of(number, fraction) for number in range(40)]
    for kind in (True, False):
        own = [turn for salient, turn in turns if salient is kind]
        assert own == list(range(len(own)))
    assert sum(salient for salient, _ in turns) == round(40 * fraction)


def test_missing_layouts_are_explained(tmp_path: Path) -> None:
    for data in (IPhoneDepth(), IPhoneDepth(tmp_path)):
        with pytest.raises(BokehbenchError, match=r"images/NAME\.jpg.*never released"):
            data.setup("fit")
    make_rgbd(tmp_path)
    with pytest.raises(BokehbenchError, match="no image and mask pairs"):
        ready(tmp_path, "fit", saliency_roots=[str(tmp_path / "nowhere")])


def test_bad_depth_is_named(tmp_path: Path) -> None:
    make_rgbd(tmp_path, ["a", "b", "c"])
    Image.fromarray(np.zeros((24, 32), np.uint16)).save(tmp_path / "depth" / "a.png")
    (tmp_path / "depth" / "b.png").unlink()
    save(tmp_path / "depth" / "c.png", picture(0)[..., 0].T.copy())
    found = "\n".join(IPhoneDepth(tmp_path).check(deep=True))
    assert "depth/a.png: A depth map holds no valid pixel" in found
    assert "images/b.jpg: no file of the same stem" in found
    assert "depth/c.png" in found
    assert "24 x 32 does not fit" in found


def test_bad_saliency_pictures_are_named(tmp_path: Path) -> None:
    root, saliency = make_rgbd(tmp_path / "rgbd"), make_saliency(tmp_path / "saliency")
    (saliency / "s1.png").unlink()
    with pytest.raises(BokehbenchError, match=r"s1\.jpg: has no mask"):
        ready(root, "fit", saliency_roots=[str(saliency)])


@pytest.mark.parametrize(
    "options",
    [{"saliency_fraction": 2.0}, {"min_aperture_at_1024": 9.0, "max_aperture_at_1024": 1.0}, {"renderer": "traced"}],
)
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(BokehbenchError, match="--data"):
        IPhoneDepth(**options)  # type: ignore[arg-type]


def test_masks_may_be_of_some_pictures(tmp_path: Path) -> None:
    make_rgbd(tmp_path, ["a", "b"])
    save(tmp_path / "masks" / "a.png", np.full((24, 32), 255, np.uint8))
    (tmp_path / "train.txt").write_text("a\nb\n")
    data = ready(tmp_path, "fit")
    data.plan_training(TrainingPlan(2, 2, view=View("resize", 16, 16), keys=("image", "disparity", "mask")))
    for batch in data.train_dataloader():
        assert dict(zip(batch["name"], known(batch, "mask").tolist(), strict=True)) == {"a": True, "b": False}
    assert "1 of 2 pictures without a file in masks." in data.notes


def test_heic_photos_of_a_folder_are_named_with_what_to_do(tmp_path: Path) -> None:
    make_rgbd(tmp_path, ["a", "b"])
    (tmp_path / "images" / "pug.HEIC").write_bytes(b"1")
    data = IPhoneDepth(tmp_path)
    assert data.check() == []
    assert any("pug.HEIC. `bokehbench data import-phone` reads HEIC" in note for note in data.notes)
