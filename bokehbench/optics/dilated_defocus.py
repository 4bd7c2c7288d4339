"""Defocus of the nearest of all blurred points that cover a pixel (BokehMe, Peng et al., CVPR 2022, code)."""

import torch
from torch import Tensor

#: Pixel rows that are worked on at once: bounds the memory of one radius.
AT_ONCE = 1 << 22


def dilated_defocus(defocus: Tensor) -> Tensor:
    """Largest trunc(d(q)) of all pixels q whose disk of radius abs(d(q)) covers p; B 1 H W in whole px, int16.

    Near wins over far, and among far pixels the least blurred. ``defocus`` B 1 H W is the signed radius in px, > 0 in
    front of the focal plane. Every pixel covers itself. Not differentiable.
    """
    with torch.no_grad():
        return torch.stack([_of_one(one[0].double()) for one in defocus])[:, None]


def _of_one(defocus: Tensor) -> Tensor:
    whole = defocus.trunc().to(torch.int16)
    found = torch.full_like(whole, torch.iinfo(torch.int16).min)
    open_yet = torch.ones_like(whole, dtype=torch.bool)
    for value in torch.unique(whole).flip(0):  # the largest first: what it covers is settled
        covered = _covered(defocus, whole == value) & open_yet
        found[covered] = value
        open_yet &= ~covered
    return found


def _covered(defocus: Tensor, chosen: Tensor) -> Tensor:
    """Which pixels lie in the disk of a ``chosen`` one: every row of a disk is a run, added up along the rows."""
    height, width = defocus.shape
    rows, columns = chosen.nonzero(as_tuple=True)
    radius = defocus[rows, columns].abs()
    reach = int(radius.max())
    ends = torch.zeros(height, width + 1, dtype=torch.int32, device=defocus.device)
    offsets = torch.arange(-reach, reach + 1, device=defocus.device)
    at_once = max(1, AT_ONCE // (2 * reach + 1))
    for start in range(0, len(radius), at_once):
        part = slice(start, start + at_once)
        square = radius[part, None].square() - offsets.double().square()
        half = square.clamp(min=0).sqrt().long()
        row = rows[part, None] + offsets
        there = (square >= 0) & (row >= 0) & (row < height)
        first = (columns[part, None] - half).clamp(min=0)
        last = (columns[part, None] + half + 1).clamp(max=width)
        for ending, sign in ((first, 1), (last, -1)):
            at = (row * (width + 1) + ending)[there]
            ends.view(-1).index_add_(0, at, torch.full_like(at, sign, dtype=torch.int32))
    return ends.cumsum(1)[:, :-1] > 0
