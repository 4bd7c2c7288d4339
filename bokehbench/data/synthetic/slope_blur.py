"""Blur of a sloping background at the price of a constant one.

All scenes' slopes are parallel to the frame's axes, so that every row (or column) has one radius. Then the row-run
scheme of :mod:`bokehbench.optics.row_runs` stays exact: centred runs of every half-width are made once for the whole
plane, and each row sends to the row ``a`` above and below it the run that its own disk has there. Rows with equal runs
are neighbours, so this takes few slices: 4 R + 1 additions per pixel, against about pi/2 R^2 for any map of radii.
"""

import math
from itertools import groupby

import torch
import torch.nn.functional as functional
from torch import Tensor

from bokehbench.optics.aperture_kernels import largest_square
from bokehbench.optics.row_runs import half_widths


def blur_slope(picture: Tensor, radius: Tensor) -> Tensor:
    """Spread an opaque plane's pixels over lattice disks {d² <= r²}/N, divided by the weight that arrives: C H W.

    ``radius`` >= 0 in pixels, H 1 (rows have one radius each) or 1 W (columns). The division keeps a constant picture
    constant: on a slope the disks of neighbours differ and their weights do not add up to 1. Within the largest radius
    of the picture's border, light from outside is missing.
    """
    if radius.shape[1] > 1:
        return blur_slope(picture.mT.contiguous(), radius.mT).mT.contiguous()
    squares = [largest_square(r) for r in radius[:, 0].tolist()]
    reach = math.isqrt(max(squares))
    _, height, width = picture.shape
    disks = {square: half_widths(square)[math.isqrt(square) :] for square in set(squares)}
    share = torch.tensor([1 / (2 * sum(2 * w + 1 for w in disks[s]) - 2 * disks[s][0] - 1) for s in squares])
    # steps[w]: from the rows [start, stop), whose run at distance a has half-width w
    steps: list[list[tuple[int, int, int]]] = [[] for _ in range(reach + 1)]
    weight = torch.zeros(height + 2 * reach)
    for a in range(reach + 1):
        row = 0
        for half, group in groupby(disks[s][a] if a < len(disks[s]) else -1 for s in squares):
            start, row = row, row + sum(1 for _ in group)
            if half >= 0:
                steps[half].append((a, start, row))
                for shift in {a, -a}:
                    weight[reach + start + shift : reach + row + shift] += (2 * half + 1) * share[start:row]
    out = picture.new_zeros(len(picture), height + 2 * reach, width)
    # One colour at a time stays in the cache.
    for source, target in zip(functional.pad(picture * share[:, None], (reach, reach)), out, strict=True):
        run = source[:, reach : reach + width].clone()
        for half, places in enumerate(steps):
            if half:
                run += source[:, reach - half : reach - half + width]
                run += source[:, reach + half : reach + half + width]
            for a, start, stop in places:
                for shift in {a, -a}:
                    target[reach + start + shift : reach + stop + shift] += run[start:stop]
    inside = slice(reach, reach + height)
    return out[:, inside] / weight[inside, None]
