"""Packages of somebody else, as an installer leaves them: ``write_package(site, "farlens", entries)``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytorch_lightning import Callback

METHOD = '''
"""One 3 x 3 convolution on picture and disparity, added to the picture."""

from typing import Any

import torch
from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.losses import mean_absolute_error
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses


class Shade(BokehModel):
    """A method with one stage.

    Args:
        kernel: side of the convolution, odd.
        rendering: recipe of the only stage.
    """

    title = "Shade"
    paper = "nobody"
    architecture = ("kernel",)
    uses = Uses(focus=False, aperture=False, disparity="needed")

    def __init__(
        self, kernel: int = 3, rendering: StageRecipe = StageRecipe(2, 2, 1e-3, height=16, width=16), **training: Any
    ) -> None:
        super().__init__(**training)
        self.net = nn.Conv2d(4, 3, kernel, padding=kernel // 2)
        self.set_up(Stage("rendering", rendering, needs=("image", "bokeh", "disparity")))

    def forward(self, image: Tensor, disparity: Tensor) -> Tensor:
        return image + 0.1 * self.net(torch.cat((image, disparity), 1))

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        return {"l1": mean_absolute_error(self(batch["image"], batch["disparity"]), batch["bokeh"])}

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return self(image, disparity).clamp(0, 1)
'''
SCENES = '''
"""Noise on a ramp, made from a seed."""

import torch

from bokehbench.data.augment import Item
from bokehbench.data.base import BokehDataModule, PictureSet


class Noise(PictureSet):
    def __init__(self, count: int, seed: int, side: int) -> None:
        self.count, self.seed, self.side = count, seed, side

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Item:
        generator = torch.Generator().manual_seed(1000 * self.seed + index)
        image = torch.rand(3, self.side, self.side, generator=generator)
        ramp = torch.linspace(0, 1, self.side).expand(1, self.side, self.side).clone()
        values = {"focus": torch.tensor(0.5), "aperture": torch.tensor(2.0)}
        return {"name": f"{index:03d}", "image": image, "bokeh": 0.9 * image, "disparity": ramp, **values}


class Ramps(BokehDataModule):
    """Made pictures.

    Args:
        side: of a picture, in pixels.
        num_workers, sampling_seed: see BokehDataModule.
    """

    def __init__(self, side: int = 24, num_workers: int | None = 0, sampling_seed: int = 0) -> None:
        super().__init__(None, num_workers, sampling_seed)
        self.side = side

    def build(self) -> None:
        for number, split in enumerate(("train", "val", "test", "predict")):
            setattr(self, f"{split}_set", Noise(2, number, self.side))
'''
VERB = '''
"""say hello"""


def main(argv):
    print(f"hello from {argv[0]}")
    return 3
'''


class SaveFirst(Callback):
    """``middle.ckpt`` beside ``last.ckpt``, after the first step: what a kill would have left."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if batch_idx == 0:
            trainer.save_checkpoint(Path(trainer.log_dir) / "checkpoints" / "middle.ckpt")


def write_package(site: Path, name: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    """``NAME`` 1.0 with the method ``Shade`` and the data set ``Ramps``; ``entries``: group -> name -> value."""
    package, info = site / name, site / f"{name}-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text("")
    for file, content in {"method": METHOD, "scenes": SCENES, "verb": VERB}.items():
        (package / f"{file}.py").write_text(content)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
    lines = [
        line
        for group, offers in entries.items()
        for line in (f"[bokehbench.{group}]", *(f"{key} = {value}" for key, value in offers.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
