"""Focus on one depth scale, said on another."""

import torch
from torch import Tensor

from bokehbench.optics import circle_of_confusion

#: Half width, in disparity, of what counts as in focus.
TOLERANCE = 0.02


def focus_on_another_map(other: Tensor, reference: Tensor, focus: Tensor) -> Tensor:
    """The focal plane of ``reference`` as a disparity of ``other``.

    A data set's ``focus`` is a number on the data set's own scale, and the same number is another depth on another
    map. So the pixels that lie on the plane there are looked up here: the median of ``other`` where ``reference`` is
    within :data:`TOLERANCE` of ``focus``. Where no pixel is that near, those that are nearest to it count. The distance
    of ``focus`` from the pixels that were found is kept, so that equal maps have equal focus.

    Args:
        other: B 1 H W in [0, 1], the map that will be rendered with.
        reference: B 1 H W in [0, 1], the map that ``focus`` belongs to.
        focus: shape B.

    Returns:
        Shape B.
    """
    away = circle_of_confusion(reference, focus, 1.0)
    nearest = away.amin((1, 2, 3), keepdim=True)
    near = away <= torch.where(nearest > TOLERANCE, nearest + 1e-6, torch.full_like(nearest, TOLERANCE))
    found, there = (
        torch.stack([plane[where].median() for plane, where in zip(planes, near, strict=True)])
        for planes in (other, reference)
    )
    return found + focus - there
