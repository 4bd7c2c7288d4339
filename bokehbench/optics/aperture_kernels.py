"""Shapes of the lens aperture as normalised kernels.

Every function returns a tensor of shape (2R+1, 2R+1) that sums to 1, is centred on its middle pixel and, except for
polygons with an odd number of blades, equals itself turned by half a turn.
"""

import math
from typing import overload

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError

#: Steepness of the one-pixel soft edge of BokehMe's disk, w = 1/2 + 1/2 tanh(4 (R - d)).
EDGE_STEEPNESS = 4.0
#: Radii within fp32 rounding of sqrt(m) count as sqrt(m), so that 10 · 0.3 px and 3 px are the same disk.
ROUNDING = 2.5e-7


def squared_distances(reach: int) -> Tensor:
    """u² + v² on the (2 reach + 1)² grid, float64, in px²."""
    axis = torch.arange(-reach, reach + 1, dtype=torch.float64).square()
    return axis[:, None] + axis[None, :]


def largest_square(radius: float) -> int:
    """floor(radius²): the largest u² + v² inside of the lattice disk of ``radius`` px, which is all that shapes it."""
    _check(radius)
    return math.floor(radius * radius * (1 + ROUNDING))


def disk(radius: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Hard lattice disk: 1/N on the N integer points with u² + v² <= radius², R = floor(radius).

    The aperture of the synthetic data (DeepLens, Sec. 4.2: blur of each plane with its circle of confusion). ``radius``
    in px, >= 0; below 1 px the kernel is the identity. Raises BokehbenchError for a negative or infinite radius.
    """
    square = largest_square(radius)
    inside = (squared_distances(math.isqrt(square)) <= square).double()
    return (inside / inside.sum()).to(dtype)


def area_disk(radius: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Disk of ``radius`` px by the share of each pixel that it covers, counted at 16 x 16 points, R = ceil(radius).

    Radius 0 is the identity. Raises BokehbenchError for a negative or infinite radius.
    """
    _check(radius)
    side = 2 * math.ceil(radius) + 1
    axis = (torch.arange(side * 16) + 0.5) / 16 - side / 2
    inside = (axis[:, None].square() + axis.square() <= radius * radius).to(dtype)
    kernel = inside.reshape(side, 16, side, 16).mean((1, 3)) if radius else torch.ones(1, 1, dtype=dtype)
    return kernel / kernel.sum()


def soft_disk(radius: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Soft disk of D2F (Luo et al. 2023, released code) and MPIB, R = radius.

    k(u, v) = 1/2 + 1/2 tanh((r² - u² - v²) / 4 + 1/2), divided by its sum; radius 0 is the identity. Computed in
    float64 and rounded once. Raises BokehbenchError for a negative radius.
    """
    _check(radius)
    kernel = 0.5 + 0.5 * torch.tanh((radius * radius - squared_distances(int(radius))) / 4 + 0.5)
    return (kernel / kernel.sum()).to(dtype)


def soft_edge(radius: float | Tensor, distance: Tensor) -> Tensor:
    """Coverage 1/2 + 1/2 tanh(4 (radius - distance)) in (0, 1): BokehMe's edge, valid for fractional radii (px)."""
    return 0.5 + 0.5 * torch.tanh(EDGE_STEEPNESS * (radius - distance))


def ring(radius: float, inner: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Ring between ``inner`` and ``radius`` px, as mirror lenses make it: difference of two soft-edged disks.

    Edges as in BokehMe's classical renderer (Peng et al., CVPR 2022), R = floor(radius) + 1. ``inner`` = 0 is the full
    disk. Raises BokehbenchError unless 0 <= inner < radius.
    """
    _check(radius)
    if not 0 <= inner < radius:
        raise BokehbenchError(f"A ring needs 0 <= inner < radius, but inner is {inner} and radius {radius}.")
    distance = squared_distances(math.floor(radius) + 1).sqrt()
    kernel = soft_edge(radius, distance)
    if inner > 0:
        kernel = kernel * (1 - soft_edge(inner, distance))
    return (kernel / kernel.sum()).to(dtype)


def polygon(radius: float, blades: int, rotation: float = 0.0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Regular polygon with ``blades`` corners on the circle of ``radius`` px, R = floor(radius) + 1.

    BokehMe's variant: the radius in direction phi is r cos(pi/n) / cos((phi - rotation) mod (2 pi/n) - pi/n), with the
    soft edge of :func:`soft_edge`. ``rotation`` in radians: one corner lies in that direction (x to the right, y down).
    Raises BokehbenchError for fewer than 3 blades.
    """
    _check(radius)
    if blades < 3:
        raise BokehbenchError(f"A polygonal aperture needs at least 3 blades, not {blades}.")
    reach = math.floor(radius) + 1
    axis = torch.arange(-reach, reach + 1, dtype=torch.float64)
    limit = radius * polygon_radius(torch.atan2(axis[:, None], axis[None, :]), blades, rotation)
    kernel = soft_edge(limit, squared_distances(reach).sqrt())
    return (kernel / kernel.sum()).to(dtype)


@overload
def polygon_radius(direction: float, blades: int, rotation: float) -> float: ...
@overload
def polygon_radius(direction: Tensor, blades: int, rotation: float) -> Tensor: ...
def polygon_radius(direction: float | Tensor, blades: int, rotation: float) -> float | Tensor:
    """Distance from the centre to the edge of :func:`polygon` in ``direction`` (radians), as a share of its radius."""
    sector = 2 * math.pi / blades
    within = (direction - rotation) % sector - sector / 2
    return math.cos(sector / 2) / (torch.cos(within) if isinstance(within, Tensor) else math.cos(within))


def _check(radius: float) -> None:
    if not 0 <= radius < math.inf:
        raise BokehbenchError(f"A blur radius must be a finite number of pixels >= 0, not {radius}.")
