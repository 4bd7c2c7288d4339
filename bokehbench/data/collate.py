"""Items to a batch, under the contract of ``bokehbench.batch``."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from bokehbench.batch import CHANNELS, Batch
from bokehbench.data.augment import Item, size_of
from bokehbench.errors import BokehbenchError


def collate(items: Sequence[Item]) -> Batch:
    """Stack items; a key that only some items have is NaN throughout the others, a key that none has is absent.

    Raises:
        BokehbenchError: the pictures differ in size (a training stage on whole pictures with a batch size above 1).
    """
    sizes = {size_of(item) for item in items}
    if len(sizes) > 1:
        shown = ", ".join(f"{item['name']} {w} x {h}" for item in items[:3] for h, w in [size_of(item)])
        raise BokehbenchError(
            f"Pictures of different size cannot share a batch ({shown}): train on crops, or with a batch size of 1."
        )
    keys = {key for item in items for key in item if key != "name"}
    batch: dict[str, Tensor | list[str]] = {key: _stack(items, key) for key in sorted(keys)}
    batch["name"] = [item["name"] for item in items]
    return cast(Batch, batch)


def _stack(items: Sequence[Item], key: str) -> Tensor:
    shape = (CHANNELS[key], *size_of(items[0])) if key in CHANNELS else ()
    return torch.stack([item[key] if key in item else torch.full(shape, torch.nan) for item in items])
