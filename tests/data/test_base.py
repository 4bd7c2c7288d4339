"""Loaders and paired augmentation of BokehDataModule, on data that needs no files."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bokehbench.batch import Batch, known
from bokehbench.data.augment import Item, Window, fit_view, flip_and_turn
from bokehbench.data.base import BokehDataModule, PictureSet, raise_problems
from bokehbench.data.collate import collate
from bokehbench.data.sampling import Draw, TrainingPlan, View, draw_generator
from bokehbench.errors import BokehbenchError


class Coordinates(PictureSet):
    """Pictures whose values are their own coordinates, so that a test can see where each pixel came from."""

    def __init__(self, count: int = 6, height: int = 20, width: int = 30) -> None:
        self.count, self.size = count, (height, width)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Item:
        height, width = self.size
        y = torch.arange(height).view(-1, 1).expand(height, width) / height
        x = torch.arange(width).view(1, -1).expand(height, width) / width
        image = torch.stack([x, y, torch.full((height, width), index / 10)])
        item = {"image": image, "bokeh": image.clone(), "disparity": x[None].clone(), "name": f"p{index}"}
        return item | {"focus": torch.tensor(0.5), "aperture": torch.tensor(8.0)}


class Broken(Coordinates):
    def __getitem__(self, index: int) -> Item:
        raise BokehbenchError(f"picture {index}.jpg is corrupt: replace it.")


class Module(BokehDataModule):
    def __init__(self, pictures: PictureSet | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.given = pictures or Coordinates()

    def build(self) -> None:
        self.train_set = self.val_set = self.test_set = self.given


CROP = TrainingPlan(batch_size=2, steps=4, view=View("crop", 8, 8), quarter_turns=True)


def training(plan: TrainingPlan = CROP, **options: Any) -> list[Batch]:
    module = Module(**options)
    module.plan_training(plan)
    return list(module.train_dataloader())


def same(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        a.keys() == b.keys() and all(a[k] == b[k] if k == "name" else torch.equal(a[k], b[k]) for k in a)  # type: ignore[literal-required]
        for a, b in zip(first, second, strict=True)
    )


def test_batches_do_not_depend_on_the_workers() -> None:
    alone = training(num_workers=0)
    assert same(alone, training(num_workers=1))
    assert same(alone, training(num_workers=2))


def test_batches_do_not_depend_on_the_global_generator() -> None:
    torch.manual_seed(1)
    first = training(num_workers=0)
    torch.manual_seed(2)
    assert same(first, training(num_workers=0))


def test_batches_depend_on_the_sampling_seed() -> None:
    assert not same(training(num_workers=0), training(num_workers=0, sampling_seed=1))


def test_resumed_stage_continues_exactly() -> None:
    from dataclasses import replace

    assert same(training(replace(CROP, first_step=3), num_workers=0), training(num_workers=0)[3:])


def test_larger_batches_see_the_same_samples() -> None:
    from dataclasses import replace

    small = torch.cat([b["image"] for b in training(num_workers=0)])
    large = torch.cat([b["image"] for b in training(replace(CROP, batch_size=4, steps=2), num_workers=0)])
    assert torch.equal(small, large)


def test_every_picture_of_an_item_moves_alike() -> None:
    for batch in training(num_workers=0):
        assert torch.equal(batch["image"], batch["bokeh"])
        assert torch.equal(batch["image"][:, :1], batch["disparity"])


def test_augmentation_really_crops_flips_and_turns() -> None:
    item, size = Coordinates()[0], View("crop", 8, 8)
    plan = TrainingPlan(batch_size=1, steps=1, view=size, quarter_turns=True)
    seen = set()
    for number in range(64):
        generator = draw_generator(0, number)
        moved = flip_and_turn(fit_view(item, size, generator), plan, generator)
        x, y = moved["image"][0], moved["image"][1]
        across, down = (x[0, 1] - x[0, 0]).sign(), (x[1, 0] - x[0, 0]).sign()
        seen.add((float(across), float(down), float((y[0, 1] - y[0, 0]).sign()), float((y[1, 0] - y[0, 0]).sign())))
        assert moved["image"].shape == (3, 8, 8)
    assert len(seen) == 8  # the whole group of the square


def test_pictures_that_are_not_square_keep_their_shape() -> None:
    plan = TrainingPlan(batch_size=1, steps=1, quarter_turns=True)
    shapes = {flip_and_turn(Coordinates()[0], plan, draw_generator(0, n))["image"].shape for n in range(16)}
    assert shapes == {(3, 20, 30)}


def test_crop_leaves_the_aperture_and_resize_scales_it() -> None:
    item, generator = Coordinates()[0], draw_generator(0, 0)
    assert fit_view(item, View("crop", 8, 9), generator)["aperture"] == 8
    resized = fit_view(item, View("resize", 10, 60), generator)
    assert resized["image"].shape == (3, 10, 60)
    assert resized["aperture"] == pytest.approx(8 * math.sqrt(10 * 60 / (20 * 30)))
    assert resized["focus"] == 0.5


def test_crop_of_a_smaller_picture_enlarges_it() -> None:
    cropped = fit_view(Coordinates()[0], View("crop", 40, 40), draw_generator(0, 0))
    assert cropped["image"].shape == (3, 40, 40)
    assert cropped["aperture"] == pytest.approx(16)


def test_windows_grow_within_the_picture() -> None:
    window = Window(1, 10, 5, 5)
    outer = window.grown(3, 20, 30)
    assert outer == Window(0, 7, 9, 11)
    picture = Coordinates()[0]["image"]
    assert torch.equal(window.within(outer).of(outer.of(picture)), window.of(picture))


def test_missing_keys_become_nan_and_absent_keys_stay_absent() -> None:
    full, bare = Coordinates()[0], Coordinates()[1]
    for key in ("disparity", "focus", "bokeh"):
        del bare[key]
    batch = collate([full, bare])
    for key in ("disparity", "focus", "bokeh"):
        assert known(batch, key).tolist() == [True, False]
    assert known(batch, "aperture").all()
    assert "mask" not in batch
    assert batch["name"] == ["p0", "p1"]


def test_different_sizes_in_one_batch_are_explained() -> None:
    with pytest.raises(BokehbenchError, match="p0 30 x 20, p0 9 x 20"):
        collate([Coordinates()[0], Coordinates(width=9)[0]])


@pytest.mark.parametrize("loader", ["val_dataloader", "test_dataloader"])
def test_whole_pictures_come_one_by_one_over_ranks(loader: str) -> None:
    names = []
    for rank in range(4):
        module = Module(num_workers=0)
        module.trainer = SimpleNamespace(global_rank=rank, world_size=4)  # type: ignore[assignment]
        batches = list(getattr(module, loader)())
        assert all(batch["image"].shape == (1, 3, 20, 30) for batch in batches)
        names += [name for batch in batches for name in batch["name"]]
    assert sorted(names) == [f"p{i}" for i in range(6)]


@pytest.mark.parametrize("workers", [0, 2])
def test_bad_picture_in_a_worker_stays_one_sentence(workers: int) -> None:
    module = Module(Broken(), num_workers=workers)
    with pytest.raises(BokehbenchError) as caught:
        list(module.val_dataloader())
    assert str(caught.value) == "picture 0.jpg is corrupt: replace it."


@pytest.mark.parametrize("workers", [0, 2])
def test_impossible_batch_in_a_worker_stays_one_sentence(workers: int) -> None:
    class Growing(Coordinates):
        def __getitem__(self, index: int) -> Item:
            return Coordinates(height=20 + index)[index]

    module = Module(Growing(), num_workers=workers)
    module.plan_training(TrainingPlan(batch_size=2, steps=1))
    with pytest.raises(BokehbenchError, match=r"^Pictures of different size"):
        list(module.train_dataloader())


def test_setup_names_a_split_that_is_not_there(tmp_path: Path) -> None:
    module = Module(root=tmp_path)
    module.setup("test")
    with pytest.raises(BokehbenchError, match="no predict pictures"):
        module.setup("predict")


def test_many_problems_are_counted_and_the_first_ten_listed() -> None:
    with pytest.raises(BokehbenchError) as caught:
        raise_problems([f"file {i} is bad." for i in range(25)], "EBB, train split")
    message = str(caught.value)
    assert "25 problems" in message
    assert "file 9 is bad" in message
    assert "file 10 is bad" not in message
    assert "15 more" in message


@pytest.mark.parametrize("options", [{"num_workers": -1}, {"sampling_seed": -1}])
def test_impossible_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(BokehbenchError, match="give 0 or more"):
        Module(**options)


def test_default_item_for_a_draw_is_the_whole_picture() -> None:
    plan = TrainingPlan(batch_size=1, steps=1)
    item = Coordinates().training_item(Draw(3, 0), plan, draw_generator(0, 0))
    assert item["name"] == "p3"
    assert item["image"].shape == (3, 20, 30)
