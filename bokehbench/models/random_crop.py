"""Crops that a method takes itself, after what it needs the whole picture for."""

import torch
from torch import Tensor


def random_crop(pictures: list[Tensor], side: int) -> list[Tensor]:
    """The same window of at most ``side`` x ``side`` pixels of each, B C H W; from torch's generator."""
    height, width = pictures[0].shape[-2:]
    top = int(torch.randint(max(height - side, 0) + 1, ()))
    left = int(torch.randint(max(width - side, 0) + 1, ()))
    return [picture[..., top : top + side, left : left + side] for picture in pictures]
