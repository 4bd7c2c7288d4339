"""Defocus of the nearest of all blurred points that cover a pixel (BokehMe, Peng et al., CVPR 2022, code)."""

import torch
from torch import Tensor

from bokehbench.optics.strips import progress

#: Pixel rows that are worked on at once: bounds the memory of one radius.
AT_ONCE = 1 << 20


def dilated_defocus(defocus: Tensor) -> Tensor:
    """Largest trunc(d(q)) of all pixels q whose disk of radius abs(d(q)) covers p; B 1 H W in whole px, int16.

    Near wins over far, and among far pixels the least blurred. ``defocus`` B 1 H W is the signed radius in px, > 0 in
    front of the focal plane. Every pixel covers itself. Not differentiable.
    """
    with torch.no_grad():
        return torch.stack([_of_one(one[0]) for one in defocus])[:, None]


def _of_one(defocus: Tensor) -> Tensor:
    whole = defocus.trunc().to(torch.int16)
    found = torch.full_like(whole, torch.iinfo(torch.int16).min)
    open_yet = torch.ones_like(whole, dtype=torch.bool)
    # The largest first: what it covers is settled
    for value in progress(range(int(whole.max()), int(whole.min()) - 1, -1)):
        chosen = whole == value
        if bool(chosen.any()):
            covered = _covered(defocus, chosen, abs(value)).logical_and_(open_yet)
            found[covered] = value
            open_yet.logical_xor_(covered)
    return found


def _covered(defocus: Tensor, chosen: Tensor, reach: int) -> Tensor:
    """Which pixels lie in the disk of a ``chosen`` one: every row of a disk is a run, added up along the rows.

    ``reach``: the largest radius of these, in whole px.
    """
    height, width = defocus.shape
    ends = torch.zeros(height, width + 1, dtype=torch.int32, device=defocus.device)
    offsets = torch.arange(-reach, reach + 1, device=defocus.device)
    for part in chosen.nonzero().split(max(1, AT_ONCE // (2 * reach + 1))):
        rows, columns = part.T[..., None]
        square = defocus[rows, columns].double().square() - offsets.double().square()
        half = square.clamp(min=0).sqrt().long()
        row = rows + offsets
        there = (square >= 0) & (row >= 0) & (row < height)
        first = (columns - half).clamp(min=0)
        last = (columns + half + 1).clamp(max=width)
        for ending, sign in ((first, 1), (last, -1)):
            at = (row * (width + 1) + ending)[there]
            ends.view(-1).index_add_(0, at, torch.full_like(at, sign, dtype=torch.int32))
    return ends.cumsum(1, dtype=torch.int32)[:, :-1] > 0
