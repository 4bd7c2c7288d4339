"""What lies beyond the picture's edge, and the adjoint of each choice."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.errors import BokehbenchError, nearest

#: zero: light leaves the frame. reflect (D2F), replicate (MPIB): the picture goes on. normalised: zero, divided by the
#: share of the aperture that lies inside the frame. full: zero, and the result grows by the kernel's reach.
Padding = Literal["zero", "reflect", "replicate", "normalised", "full"]


def check_padding(padding: str) -> None:
    """Raise BokehbenchError for an unknown padding."""
    if padding not in get_args(Padding):
        raise BokehbenchError(f"Unknown padding '{padding}': {nearest(padding, get_args(Padding))}.")


def pad(maps: Tensor, up: int, left: int, mode: str) -> Tensor:
    """N h w -> N (h + 2 up) (w + 2 left). Differentiable.

    Reflection farther than the picture is wide reflects again, as numpy's does, so that any size works with any kernel.
    """
    if mode == "zero" or (up == 0 and left == 0):
        return F.pad(maps, (left, left, up, up))
    if mode == "replicate":
        return F.pad(maps[None], (left, left, up, up), mode="replicate")[0]
    if up < maps.shape[-2] and left < maps.shape[-1]:
        return F.pad(maps[None], (left, left, up, up), mode="reflect")[0]
    return mirror(maps, up, left, maps.shape[-2] + 2 * up, maps.shape[-1] + 2 * left)


def pad_adjoint(gradient: Tensor, up: int, left: int, mode: str) -> Tensor:
    """The transpose of :func:`pad`: N (h + 2 up) (w + 2 left) -> N h w; outside values go where they came from."""
    h, w = gradient.shape[-2] - 2 * up, gradient.shape[-1] - 2 * left
    if mode == "zero" or (up == 0 and left == 0):
        return gradient[:, up : up + h, left : left + w]
    with torch.enable_grad():
        source = gradient.new_zeros(len(gradient), h, w).requires_grad_()
        padded = pad(source, up, left, mode)
    return torch.autograd.grad(padded, source, gradient)[0]


def mirror(maps: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """... h w -> ... height width: mirrored (edge not repeated) as often as it takes, from (-top, -left) on."""
    rows = mirrored(maps.shape[-2], top, height, maps.device)
    columns = mirrored(maps.shape[-1], left, width, maps.device)
    return maps[..., rows, :][..., columns]


def window(maps: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """... h w -> ... height width: what begins at (top, left)."""
    if not torch.compiler.is_exporting():
        return maps[..., top : top + height, left : left + width]
    # As slices with symbols at both ends, the ONNX form cut out another window (torch 2.15)
    rows, columns = torch.arange(height) + top, torch.arange(width) + left
    return maps.index_select(-2, rows).index_select(-1, columns)


def mirrored(size: int, before: int, total: int, device: torch.device) -> Tensor:
    """Indices of a mirrored axis of ``size``, from ``-before`` on; a single pixel is repeated."""
    period = max(2 * (size - 1), 1)
    place = torch.arange(total, device=device) - before
    place = place.remainder(torch.full_like(place, period))  # as a tensor: torch.onnx takes no symbol here
    return torch.minimum(place, period - place) if size > 1 else torch.zeros_like(place)
