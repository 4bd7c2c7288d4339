"""The synthetic data set: reproducibility, keys, ranges, switches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from bokehbench.batch import CHANNELS
from bokehbench.data import DATA
from bokehbench.data.base import PictureSet
from bokehbench.data.sampling import Draw, TrainingPlan, View
from bokehbench.data.synthetic_dof import SyntheticDoF, SyntheticScenes
from bokehbench.errors import BokehbenchError


def split(name: str = "train", **options: Any) -> PictureSet:
    pictures = SyntheticDoF(**{"size": 64, "num_workers": 0, **options}).pictures(name)
    assert pictures is not None
    return pictures


def assert_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for key, value in a.items():
        assert torch.equal(value, b[key]) if isinstance(value, Tensor) else value == b[key], key


def drawn(workers: int, batch_size: int, steps: int, view: View) -> list[dict[str, Any]]:
    data = SyntheticDoF(size=(47, 62), train_samples=9, num_workers=workers)
    data.setup("fit")
    data.plan_training(TrainingPlan(batch_size, steps, view=view))
    items = []
    for batch in data.train_dataloader():
        items += [{key: value[i] for key, value in batch.items()} for i in range(len(batch["name"]))]
    return items


@pytest.mark.parametrize("view", [View("native"), View("crop", 32, 24), View("crop", 80, 70), View("resize", 30, 41)])
def test_samples_do_not_depend_on_workers_or_batch_size(view: View) -> None:
    reference = drawn(0, 2, 6, view)
    assert len({item["name"] for item in reference}) == 9
    for other in (drawn(2, 3, 4, view), drawn(0, 12, 1, view)):
        for a, b in zip(reference, other, strict=True):
            assert_same(a, b)


def test_samples_do_not_depend_on_order_or_global_random_state() -> None:
    pictures = split()
    forward = [pictures[i] for i in range(4)]
    torch.manual_seed(5)
    backward = [split(train_samples=5)[i] for i in (3, 2, 1, 0)][::-1]
    for a, b in zip(forward, backward, strict=True):
        assert_same(a, b)


def test_samples_do_not_depend_on_the_thread_count() -> None:
    pictures = split(size=(61, 47))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        several = [pictures[i] for i in range(3)]
        assert torch.get_num_threads() == 3, "left as it was"
    finally:
        torch.set_num_threads(threads)
    for i, item in enumerate(several):
        assert_same(item, pictures[i])


def test_held_out_loaders_serve_the_same_whole_scenes_with_and_without_workers() -> None:
    batches = []
    for workers in (0, 2):
        data = SyntheticDoF(size=(33, 47), val_samples=5, test_samples=3, num_workers=workers)
        data.setup("validate")
        data.setup("test")
        batches.append([*data.val_dataloader(), *data.test_dataloader()])
    assert [b["name"][0] for b in batches[0]][-2:] == ["synthetic-test-000001", "synthetic-test-000002"]
    for a, b in zip(*batches, strict=True):
        assert_same(a, b)


def test_seeds_and_splits_give_other_scenes() -> None:
    images = [split()[0], split()[1], split("val")[0], split("test")[0], split(scene_seed=1)[0]]
    for i, a in enumerate(images):
        for b in images[:i]:
            assert (a["image"] - b["image"]).abs().mean() > 0.01


@pytest.mark.parametrize("size", [64, (47, 62), (91, 33), 17])
def test_keys_shapes_and_ranges(size: int | tuple[int, int]) -> None:
    height, width = (size, size) if isinstance(size, int) else size
    for index in range(6):
        item = split(size=size)[index]
        assert set(item) == {*CHANNELS, "focus", "aperture", "name"}
        for key, channels in CHANNELS.items():
            assert item[key].shape == (channels, height, width)
            assert item[key].dtype == torch.float32
            assert item[key].min() >= 0
            assert item[key].max() <= 1
        assert item["focus"].shape == item["aperture"].shape == ()
        assert item["aperture"] == pytest.approx(0.025 * max(height, width))
        assert item["name"] == f"synthetic-train-{index:06d}"
        assert set(item["mask"].unique().tolist()) <= {0.0, 1.0}


def test_defaults_are_the_papers_counts_and_the_configurations_radius() -> None:
    data = DATA["syntheticdof"]()
    data.setup("test")
    assert data.train_set is not None
    assert data.test_set is not None
    assert len(data.train_set) == 18_000
    assert len(data.test_set) == 500
    item = data.test_set[499]
    assert item["aperture"] == 8
    assert item["image"].shape == (3, 320, 320)
    with pytest.raises(IndexError):
        data.test_set[500]
    assert split(size=640)[0]["aperture"] == 16


def test_radius_zero_is_the_identity() -> None:
    for index in range(4):
        item = split(aperture=0)[index]
        assert torch.equal(item["bokeh"], item["image"])


def test_the_same_scenes_at_any_usual_radius() -> None:
    for index in range(3):
        sharp, blurred = split(aperture=0)[index], split()[index]
        assert torch.equal(sharp["image"], blurred["image"])
        assert torch.equal(sharp["disparity"], blurred["disparity"])


def test_a_background_in_focus_stays_where_no_blurred_object_reaches() -> None:
    pictures = split(size=96, aperture=6, slope_probability=0.0)
    assert isinstance(pictures, SyntheticScenes)
    checked = 0
    for index in range(12):
        scene, _ = pictures.scene(index)
        sharp, blurred = scene.picture(0.0), scene.picture(6.0, focus=0.0)
        near = torch.zeros(96 + 2 * scene.margin, 96 + 2 * scene.margin, dtype=torch.bool)
        for plane in scene.foregrounds:
            _, height, width = plane.rgba.shape
            near[max(plane.top - 6, 0) : plane.top + height + 6, max(plane.left - 6, 0) : plane.left + width + 6] = True
        far = ~near[scene.margin : -scene.margin, scene.margin : -scene.margin]
        assert torch.equal(blurred[:, far], sharp[:, far])
        assert not torch.equal(blurred, sharp)
        checked += int(far.sum())
    assert checked > 10_000


def test_corruption_touches_only_the_disparity() -> None:
    changed = 0
    for index in range(12):
        clean, corrupted = split(disparity_input="clean")[index], split()[index]
        assert "true_disparity" not in clean
        assert torch.equal(corrupted["true_disparity"], clean["disparity"])
        for key in ("image", "bokeh", "mask", "focus"):
            assert torch.equal(corrupted[key], clean[key])
        changed += not torch.equal(corrupted["disparity"], clean["disparity"])
    assert 8 <= changed <= 12


def test_the_mask_is_where_the_foregrounds_are() -> None:
    for index in range(6):
        item = split(disparity_input="clean", slope_probability=0.0)[index]
        assert torch.equal(item["mask"] > 0, item["disparity"] > 0)


def test_linear_light_changes_the_blur() -> None:
    linear = torch.stack([split(highlight_gain=0)[i]["bokeh"] for i in range(4)])
    encoded = torch.stack([split(highlight_gain=0, linear_light=False)[i]["bokeh"] for i in range(4)])
    assert (linear - encoded).abs().mean() > 1e-3
    assert linear.mean() > encoded.mean(), "light adds up to more than gamma-encoded values do"


def test_the_plane_in_focus_can_be_fixed_in_the_same_scenes() -> None:
    drawn = split()
    for place in ("front", "middle", "background"):
        fixed = split(focus_on=place)
        assert isinstance(fixed, SyntheticScenes)
        for index in range(6):
            assert torch.equal(fixed[index]["image"], drawn[index]["image"])
            assert torch.equal(fixed[index]["disparity"], drawn[index]["disparity"])
            scene, _ = fixed.scene(index)
            middle, front = (plane.disparity for plane in scene.foregrounds)
            background = scene.backdrop_disparity
            low, high = {
                "front": (front, front),
                "middle": (middle, middle),
                "background": (float(background.min()), float(background.max())),
            }[place]
            assert low - 1e-6 <= scene.focus <= high + 1e-6


def test_a_stage_without_targets_does_not_render_them_and_crops_are_crops() -> None:
    pictures = split()
    generator = torch.Generator().manual_seed(1)
    item = pictures.training_item(Draw(0, 0), TrainingPlan(1, 1, keys=("image", "disparity")), generator)
    assert "bokeh" not in item
    plan = TrainingPlan(1, 1, view=View("crop", 24, 31))
    cropped = pictures.training_item(Draw(2, 0), plan, torch.Generator().manual_seed(1))
    whole = PictureSet.training_item(pictures, Draw(2, 0), plan, torch.Generator().manual_seed(1))
    for key in ("image", "bokeh", "disparity", "true_disparity", "mask"):
        torch.testing.assert_close(cropped[key], whole[key], atol=1e-5, rtol=0)


#: Means of the first test scenes, per key; see the next test.
EXPECTED = {
    "image": [0.3211, 0.5195, 0.3792],
    "bokeh": [0.327, 0.5201, 0.3838],
    "disparity": [0.2009, 0.1159, 0.3988],
    "true_disparity": [0.1997, 0.1517, 0.3976],
    "mask": [0.0961, 0.2016, 0.4222],
    "focus": [0.6628, 0.9649, 0.8262],
}


def test_the_test_scenes_are_still_the_same() -> None:
    """Coarse statistics of the first test scenes at the defaults: a change here is another leaderboard."""
    items = [split("test", size=320)[i] for i in range(3)]
    for key, means in EXPECTED.items():
        torch.testing.assert_close([float(item[key].mean()) for item in items], means, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 8}, "--data.size"),
        ({"aperture": -1.0}, "--data.aperture -1.0: give 0 to 160 pixels"),
        ({"aperture": 200.0}, "--data.aperture"),
        ({"disparity_input": "noisy"}, "--data.disparity_input noisy: give corrupted or clean"),
        ({"focus_on": "subject"}, "--data.focus_on subject: give random, middle, front or background"),
        ({"slope_probability": 1.5}, "--data.slope_probability"),
        ({"highlight_gain": -1.0}, "--data.highlight_gain"),
        ({"test_samples": 0}, "--data.test_samples 0"),
        ({"scene_seed": -3}, "--data.scene_seed"),
        ({"corruption_probability": -0.1}, "--data.corruption_probability"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BokehbenchError, match=message):
        SyntheticDoF(**options)


@pytest.mark.parametrize("view", [View("native"), View("crop", 32, 24)])
def test_disparity_stretched_to_0_and_1_is_the_same_blur_of_the_same_scene(view: View) -> None:
    plan, wide = TrainingPlan(1, 1, view=view), 0
    for index in range(12):
        one, other = (
            split(disparity_scale=scale).training_item(Draw(index, index), plan, torch.Generator().manual_seed(index))
            for scale in (None, "minmax")
        )
        for key in ("image", "bokeh", "mask"):
            assert torch.equal(one[key], other[key])
        blur, same = (item["aperture"] * (item["true_disparity"] - item["focus"]) for item in (one, other))
        torch.testing.assert_close(blur, same, atol=1e-4, rtol=0)
        whole = split(disparity_scale="minmax")[index]["true_disparity"]
        assert (float(whole.min()), float(whole.max())) == (0, 1)
        wide += float(one["aperture"]) > float(other["aperture"])
    assert wide == 12


def test_training_scenes_of_many_sizes() -> None:
    data = SyntheticDoF(size=64, aperture=8, train_sides=(48, 96), train_samples=12, val_samples=2, test_samples=2)
    scenes = data.pictures("train")
    sides = [scenes[n]["image"].shape[-1] for n in range(12)]
    assert all(48 <= side <= 96 for side in sides)
    assert len(set(sides)) > 4
    assert all(
        scenes[n]["image"].shape == (3, side, side) and float(scenes[n]["aperture"]) == 8
        for n, side in enumerate(sides)
    )
    assert torch.equal(scenes[3]["bokeh"], scenes[3]["bokeh"])
    assert data.pictures("val")[0]["image"].shape == (3, 64, 64)
    plan = TrainingPlan(2, 2, view=View("crop", 40, 40))
    item = scenes.training_item(Draw(3, 0), plan, torch.Generator().manual_seed(0))
    assert item["bokeh"].shape == (3, 40, 40)
    assert "train_sides" not in SyntheticDoF(size=64).settings()
    for wrong in ((8, 64), (64, 48)):
        with pytest.raises(BokehbenchError, match="train_sides"):
            SyntheticDoF(size=64, train_sides=wrong)


def test_training_scenes_get_fine_detail_and_stay_exact() -> None:
    options = {"size": 64, "aperture": 4, "train_samples": 4, "val_samples": 2, "test_samples": 2, "num_workers": 0}
    plain, fine = (SyntheticDoF(**options, train_detail=detail) for detail in (None, 0.8))
    assert "train_detail" not in plain.settings()
    rough = 0.0
    for data in (plain, fine):
        item = data.pictures("train")[0]
        steps = item["image"].diff(dim=-1).abs().mean()
        assert float(steps) > rough  # more of it from pixel to pixel
        rough = float(steps)
        scene, _ = data.pictures("train").scene(0)
        torch.testing.assert_close(scene.picture(0.0), item["image"])  # the same detail, sharp or blurred
    for split in ("val", "test"):
        a, b = (data.pictures(split)[1] for data in (plain, fine))
        assert torch.equal(a["bokeh"], b["bokeh"])
    with pytest.raises(BokehbenchError, match="train_detail"):
        SyntheticDoF(**options, train_detail=2)


def test_scenes_of_many_apertures_are_the_same_scenes() -> None:
    options = {"size": 64, "test_samples": 6, "num_workers": 0}
    ranged, one = (SyntheticDoF(**options, aperture=aperture).pictures("test") for aperture in ((2, 6), 6))
    apertures = [float(item["aperture"]) for item in (ranged[i] for i in range(6))]
    assert len(set(apertures)) == 6
    assert all(2 <= aperture <= 6 for aperture in apertures)
    for i, aperture in enumerate(apertures):
        item, (scene, _) = ranged[i], one.scene(i)
        assert torch.equal(item["image"], one[i]["image"])
        assert torch.equal(item["disparity"], one[i]["disparity"])
        assert torch.equal(item["bokeh"], scene.picture(aperture))
    for wrong in ((6, 2), (2, 64), (-1, 2)):
        with pytest.raises(BokehbenchError, match="aperture"):
            SyntheticDoF(**options, aperture=wrong)
