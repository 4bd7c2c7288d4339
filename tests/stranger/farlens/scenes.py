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
