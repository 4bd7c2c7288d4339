"""PyNET's fourth channel: a depth map stored at half the photo's size goes in untouched, as in the authors' code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from makers import make_ebb, save
from methods import tiny
from PIL import Image
from torch import Tensor

from bokehbench.cli import main
from bokehbench.data import EBB, SyntheticDoF
from bokehbench.data.base import BokehDataModule
from bokehbench.models import pynet
from bokehbench.models.base import BokehModel
from bokehbench.nets.pynet.pictures import fitted, halved, network_input
from bokehbench.trainer import StagedTrainer

#: Photos of this size have maps of half of it; neither is a multiple of PyNET's 64.
SIZE = (160, 230)


def stored_map() -> np.ndarray:
    """8-bit noise whose nearest and farthest points are single pixels."""
    values = np.random.default_rng(0).integers(30, 220, (SIZE[0] // 2, SIZE[1] // 2), dtype=np.uint8)
    values[20, 30], values[50, 70] = 0, 255
    return values


@pytest.fixture
def ebb(tmp_path: Path) -> Path:
    make_ebb(tmp_path, ids=(0, 4400), size=SIZE, mask=False)
    for number in (0, 4400):
        save(tmp_path / "Training" / "original_depth" / f"{number}.png", stored_map())
    return tmp_path


@pytest.fixture
def seen(monkeypatch) -> list[Tensor]:
    """The depth channels that the network is given."""
    inputs: list[Tensor] = []

    def keep(image: Tensor, disparity: Tensor | None) -> Tensor:
        x = network_input(image, disparity)
        inputs.append(x[:, 3:])
        return x

    monkeypatch.setattr(pynet, "network_input", keep)
    return inputs


def wanted() -> Tensor:
    return torch.from_numpy(stored_map())[None, None] / 255


def fit(model: BokehModel, data: BokehDataModule, folder: Path) -> StagedTrainer:
    trainer = StagedTrainer(
        default_root_dir=folder, accelerator="cpu", logger=False, enable_checkpointing=False, num_sanity_val_steps=0,
        enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    return trainer


def test_the_data_sets_map_enters_as_it_is_stored(ebb: Path, seen: list[Tensor]) -> None:
    data = EBB(ebb, num_workers=0)
    data.setup("test")
    given = next(iter(data.test_dataloader()))
    tiny("pynet").eval().render(given["image"], disparity=given["disparity"])
    torch.testing.assert_close(seen[0], wanted(), atol=2e-6, rtol=0)
    # Levels are validated on the middle of the photo: 128 of 160 rows, 192 of 230 columns
    middle = network_input(fitted(given["image"]), fitted(given["disparity"]))[:, 3:]
    torch.testing.assert_close(middle, wanted()[..., 8:72, 9:105], atol=2e-6, rtol=0)


def test_the_users_map_enters_as_it_is_stored(ebb: Path, seen: list[Tensor], tmp_path: Path) -> None:
    checkpoint = tmp_path / "pynet.ckpt"
    model = tiny("pynet", steps=1, stages=["level_7"])
    fit(model, SyntheticDoF(size=64, aperture=8, num_workers=0), tmp_path).save_checkpoint(checkpoint)
    seen.clear()
    folder = ebb / "Training"
    photo, depth, output = folder / "original" / "0.jpg", folder / "original_depth" / "0.png", tmp_path / "out.png"
    assert (
        main(["render", str(photo), "--checkpoint", str(checkpoint), "--disparity", str(depth), "-o", str(output)]) == 0
    )
    assert Image.open(output).size == SIZE[::-1]
    torch.testing.assert_close(seen[0], wanted(), atol=2e-6, rtol=0)


def test_training_crops_hold_windows_of_the_stored_map(ebb: Path, seen: list[Tensor], tmp_path: Path) -> None:
    model = tiny("pynet", steps=6, stages=["level_7"])
    model.stages[0].recipe.height = model.stages[0].recipe.width = 128
    fit(model, EBB(ebb, num_workers=0), tmp_path)
    windows = wanted()[0, 0].unfold(0, 64, 1).unfold(1, 64, 1)
    places = set()
    for depth in torch.cat(seen)[:, 0]:
        turned = [torch.rot90(d, turns) for d in (depth, depth.flip(-1)) for turns in range(4)]
        away = torch.stack([(windows - t).abs().amax((-2, -1)) for t in turned])
        assert away.min() < 2e-6
        places.add(int(away.argmin()) % windows.shape[:2].numel())
    assert len(places) > 3


def test_a_map_of_the_photos_own_size_is_averaged() -> None:
    """Where no map was enlarged there is nothing to undo, and undoing would overshoot."""
    full = torch.rand(2, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    small = torch.rand(1, 1, 16, 24, generator=torch.Generator().manual_seed(1))
    enlarged = F.interpolate(small, (32, 48), mode="bilinear")
    assert torch.equal(halved(full), F.avg_pool2d(full, 2))
    torch.testing.assert_close(
        halved(torch.cat([full, enlarged])), torch.cat([F.avg_pool2d(full, 2), small]), atol=2e-6, rtol=0
    )
    assert halved(full[..., :2, :6]).shape == (2, 1, 1, 3)
