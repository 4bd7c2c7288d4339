"""Band-limited random fields and warped coordinates: what textures and shapes are made of.

Random numbers come from the numpy generator that the caller passes, never from a global one. Fields are built from
elementwise operations and separable resampling only, because those give the same bits whatever the thread count.
"""

import math

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

Generator = np.random.Generator


def uniform(rng: Generator, low: float, high: float) -> float:
    """One number in [low, high)."""
    return low + (high - low) * float(rng.random())


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """One number in [low, high), every octave equally likely."""
    return low * (high / low) ** float(rng.random())


def chance(rng: Generator, probability: float) -> bool:
    """True with the given probability."""
    return bool(rng.random() < probability)


def white(rng: Generator, *size: int) -> Tensor:
    """Independent uniform numbers in [0, 1), float32, of the given shape."""
    return torch.from_numpy(rng.random(size, dtype=np.float32))


def smooth(rng: Generator, height: int, width: int, cell: tuple[float, float]) -> Tensor:
    """One octave of noise, H W, about [0, 1]: random values every ``cell`` = (rows, columns) pixels, cubic between."""
    rows = min(max(2, math.ceil(height / cell[0]) + 1), height)
    columns = min(max(2, math.ceil(width / cell[1]) + 1), width)
    field = white(rng, 1, 1, rows, columns)
    # antialias=True selects torch's separable code: three times faster than the plain bicubic upsampling.
    return functional.interpolate(field, (height, width), mode="bicubic", align_corners=True, antialias=True)[0, 0]


def fractal(
    rng: Generator,
    height: int,
    width: int,
    cell: float,
    octaves: int = 5,
    persistence: float = 0.5,
    stretch: float = 1.0,
) -> Tensor:
    """Sum of octaves of :func:`smooth` noise, H W, stretched to cover [0, 1].

    ``cell`` is the coarsest cell in pixels, halved at each octave (octaves below one pixel are dropped) with
    amplitude times ``persistence``; ``stretch`` > 1 makes cells wider than high.
    """
    total = torch.zeros(height, width)
    amplitude = 1.0
    for _ in range(octaves):
        total.add_(smooth(rng, height, width, (cell / stretch**0.5, cell * stretch**0.5)), alpha=amplitude)
        amplitude *= persistence
        cell /= 2
        if cell < 1:
            break
    low, high = torch.aminmax(total)
    return (total - low) / (high - low).clamp_min(1e-6)


def coordinates(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Pixel centres y (H 1) and x (1 W) from the frame's centre, in units of half the short side."""
    half = min(height, width) / 2
    y = (torch.arange(height) + 0.5 - height / 2) / half
    x = (torch.arange(width) + 0.5 - width / 2) / half
    return y[:, None], x[None, :]


def turned(rng: Generator, height: int, width: int, cells: float, tilt: float = math.pi) -> tuple[Tensor, Tensor]:
    """Pattern coordinates (v, u), H W each: about ``cells`` units across the short side.

    Rotated by up to ``tilt`` radians, shifted at random, and half of the time seen slightly from the side.
    """
    y, x = coordinates(height, width)
    angle = uniform(rng, -tilt, tilt)
    cosine, sine = math.cos(angle), math.sin(angle)
    v = cosine * y - sine * x
    u = sine * y + cosine * x
    if chance(rng, 0.5):
        reach = 1.5 * max(height, width) / min(height, width)
        scale = 1 + uniform(rng, -0.4, 0.4) / reach * v + uniform(rng, -0.4, 0.4) / reach * u
        v, u = v / scale, u / scale
    return v * (cells / 2) + uniform(rng, 0, 100), u * (cells / 2) + uniform(rng, 0, 100)


def per_cell(rng: Generator, row: Tensor, column: Tensor, count: int = 1) -> list[Tensor]:
    """``count`` random fields in [0, 1) that are constant where the integer-valued ``row`` and ``column`` are."""
    size = 32
    flat = ((row.long() % size) * size + column.long() % size).reshape(-1)
    return [white(rng, size * size).index_select(0, flat).view(row.shape) for _ in range(count)]


def step(distance: Tensor, softness: float) -> Tensor:
    """0 to 1 as ``distance`` goes from -softness/2 to +softness/2: an edge with a linear ramp."""
    return (distance / softness + 0.5).clamp_(0, 1)


def smoothstep(x: Tensor) -> Tensor:
    """3x^2 - 2x^3 of x clipped to [0, 1]."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
