"""Procedural silhouettes: how far inside the object each pixel of a box is.

Every shape is a function of (generator, height, width) and returns the signed distance from its outline, H W, in
pixels, positive inside. The distance needs to be right near the outline only.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from bokehbench.data.synthetic.noise import Generator, chance, coordinates, fractal, smooth, step, uniform, white

Shape = Callable[[Generator, int, int], Tensor]


def _turned(rng: Generator, height: int, width: int) -> tuple[Tensor, Tensor, float]:
    """Rotated coordinates (y, x) in units of half the short side, and that unit in pixels."""
    y, x = coordinates(height, width)
    angle = uniform(rng, 0, 2 * math.pi)
    cosine, sine = math.cos(angle), math.sin(angle)
    return cosine * y - sine * x, sine * y + cosine * x, min(height, width) / 2


def superellipse(rng: Generator, height: int, width: int) -> Tensor:
    """Ellipses, rounded boxes and rhombs: |x/a|^p + |y/b|^p < 1."""
    y, x, unit = _turned(rng, height, width)
    a, b = uniform(rng, 0.35, 0.92), uniform(rng, 0.35, 0.92)
    power = (1.3, 2.0, 2.0, 4.0, 8.0)[int(rng.integers(5))]
    if power > 2:
        a, b = a * 0.78, b * 0.78
    radius = ((x / a).abs() ** power + (y / b).abs() ** power) ** (1 / power)
    return (1 - radius) * (min(a, b) * unit)


def star(rng: Generator, height: int, width: int) -> Tensor:
    """Polygons, stars, flowers and wobbly blobs: a closed outline r(angle)."""
    y, x, unit = _turned(rng, height, width)
    radius, angle = torch.hypot(x, y), torch.atan2(y, x)
    corners = int(rng.integers(3, 9))
    kind = int(rng.integers(4))
    if kind == 0:
        sector = 2 * math.pi / corners
        outline = 0.95 * math.cos(sector / 2) / torch.cos(torch.remainder(angle, sector) - sector / 2)
    elif kind == 1:
        wave = torch.remainder(angle * corners / (2 * math.pi), 1.0)
        outline = 0.95 - uniform(rng, 0.2, 0.5) * (2 * wave - 1).abs()
    elif kind == 2:
        outline = 0.5 + uniform(rng, 0.2, 0.45) * torch.cos(angle * corners / 2).abs()
    else:
        outline = torch.full_like(angle, 0.68)
        for order in range(1, 7):
            outline += uniform(rng, -0.22, 0.22) / order * torch.cos(order * angle + uniform(rng, 0, 6.28))
        outline.clamp_(0.15, 0.97)
    return (outline - radius) * unit


def blob(rng: Generator, height: int, width: int) -> Tensor:
    """Stones, bushes, splashes: low-frequency noise cut at a level that rises towards the box's border."""
    y, x, unit = _turned(rng, height, width)
    rough = uniform(rng, 0.3, 0.65)
    bumps = fractal(rng, height, width, unit * uniform(rng, 0.5, 1.2), 5, rough) - 0.5
    return (0.74 - torch.hypot(x, y * uniform(rng, 1, 1.6)) + 0.55 * bumps) * (0.6 * unit)


def ring(rng: Generator, height: int, width: int) -> Tensor:
    """Rings, tyres, wreaths and frames."""
    y, x, unit = _turned(rng, height, width)
    squash = uniform(rng, 1, 1.7)
    radius = torch.hypot(x, y * squash) if chance(rng, 0.7) else 1.3 * torch.maximum(x.abs(), (y * squash).abs())
    thickness = uniform(rng, 0.05, 0.2)
    return (thickness - (radius - 0.92 + thickness).abs()) * (unit / squash**0.5)


def vessel(rng: Generator, height: int, width: int) -> Tensor:
    """Bottles, vases, lamps, chessmen: solids of revolution seen from the side, standing on the box's floor."""
    y, x = coordinates(height, width)
    unit = min(height, width) / 2
    profile = fractal(rng, height, 2, height / uniform(rng, 2, 5), 3, 0.35)[:, :1]
    half = (0.15 + uniform(rng, 0.3, 0.75) * profile) * min(1.0, width / height + 0.3)
    floor, top = height / (2 * unit) * 0.96, -height / (2 * unit) * 0.94
    return torch.minimum(half - x.abs(), torch.minimum(floor - y, y - top)) * unit


def person(rng: Generator, height: int, width: int) -> Tensor:
    """Head and shoulders, with hair that frays."""
    y, x = coordinates(height, width)
    unit = min(height, width) / 2
    scale = height / (2 * unit)
    lean = uniform(rng, -0.15, 0.15)
    x = x - lean * (1 - y)
    head_y, head_x = uniform(rng, 0.28, 0.36), uniform(rng, 0.22, 0.28)
    head = (1 - torch.hypot(x / head_x, (y + scale - head_y - 0.15) / head_y)) * head_x
    neck = torch.minimum(uniform(rng, 0.1, 0.15) - x.abs(), y + scale - 0.5)
    shoulder = scale - uniform(rng, 0.75, 0.9)
    wide = uniform(rng, 0.6, 0.9)
    body = (1 - ((x / wide).abs() ** 2.5 + ((y - scale - 0.1) / (scale + shoulder)).clamp(-2, 0.5).abs() ** 2.5)) * 0.35
    hair = uniform(rng, 0, 0.12) * (fractal(rng, height, width, unit / 4, 5, 0.7, 0.3) - 0.3)
    return torch.maximum(torch.maximum(head + hair, neck), body) * unit


def plant(rng: Generator, height: int, width: int) -> Tensor:
    """Thin curved stems from the box's floor with leaves and a bud or flower at the end of each."""
    y, x = coordinates(height, width)
    unit = min(height, width) / 2
    tall, broad = height / (2 * unit), width / (2 * unit)
    inside = torch.full((height, width), -9.0)
    for _ in range(int(rng.integers(2, 6))):
        top = uniform(rng, -0.9, 0.2) * tall
        foot, bend = uniform(rng, -0.25, 0.25) * broad, uniform(rng, -0.7, 0.7) * broad
        rise = (tall - y) / (tall - top)
        path = foot + bend * rise * rise
        stem = uniform(rng, 0.012, 0.03) - (x - path).abs() * 0.8
        inside = torch.maximum(inside, torch.where(rise < 1, stem, -9.0))
        for _ in range(int(rng.integers(0, 4))):
            at = uniform(rng, 0.2, 0.9)
            length, side = uniform(rng, 0.1, 0.25), 1.0 if chance(rng, 0.5) else -1.0
            centre_y, centre_x = tall - at * (tall - top) - length * 0.5, foot + bend * at * at + side * length * 0.8
            _stamp(inside, centre_y, centre_x, length, uniform(rng, 0.25, 0.5), side * 0.6, 0)
        size = uniform(rng, 0.08, 0.2)
        _stamp(inside, top, foot + bend, size, 1.0, uniform(rng, 0, 3), int(rng.integers(0, 9)))
    return inside * unit


def _stamp(inside: Tensor, y0: float, x0: float, radius: float, squash: float, angle: float, petals: int) -> None:
    """Union, in place and only within its box, with an ellipse (petals < 3) or a flower."""
    height, width = inside.shape
    half = min(height, width) / 2
    row, column, reach = y0 * half + height / 2, x0 * half + width / 2, math.ceil(radius * half) + 2
    rows = slice(min(max(int(row) - reach, 0), height), max(int(row) + reach, 0))
    columns = slice(min(max(int(column) - reach, 0), width), max(int(column) + reach, 0))
    y, x = coordinates(height, width)
    y, x = y[rows] - y0, x[:, columns] - x0
    cosine, sine = math.cos(angle), math.sin(angle)
    y, x = (cosine * y - sine * x) / squash, sine * y + cosine * x
    outline = radius * (0.45 + 0.5 * torch.cos(torch.atan2(y, x) * (petals / 2)).abs()) if petals > 2 else radius
    inside[rows, columns] = torch.maximum(inside[rows, columns], (outline - torch.hypot(x, y)) * squash**0.5)


def bars(rng: Generator, height: int, width: int) -> Tensor:
    """Fences, grids, railings and nets across the whole box."""
    y, x, unit = _turned(rng, height, width) if chance(rng, 0.5) else (*coordinates(height, width), 0.0)
    unit = min(height, width) / 2
    y, x = y.expand(height, width), x.expand(height, width)
    bend = 0.3 * smooth(rng, height, width, (unit, unit)) if chance(rng, 0.5) else 0.0
    pitch = uniform(rng, 0.2, 0.7)
    thickness = uniform(rng, 0.03, 0.16) * pitch
    lines = thickness - (torch.remainder(x + bend, pitch) - pitch / 2).abs()
    if chance(rng, 0.6):
        pitch_y = pitch * uniform(rng, 0.6, 2)
        lines = torch.maximum(lines, thickness - (torch.remainder(y + bend, pitch_y) - pitch_y / 2).abs())
    return lines * unit


def letters(rng: Generator, height: int, width: int) -> Tensor:
    """A character-like figure of thick strokes between the points of a 3 x 3 lattice."""
    y, x = coordinates(height, width)
    unit = min(height, width) / 2
    thickness = uniform(rng, 0.06, 0.16)
    inside = torch.full((height, width), -9.0)
    points = white(rng, 7, 2).mul(3).floor().sub(1).mul(0.72).tolist()
    tall = height / (2 * unit)
    for (y0, x0), (y1, x1) in pairwise(points):
        y0, y1 = y0 * tall, y1 * tall
        dy, dx = y1 - y0, x1 - x0
        length2 = dy * dy + dx * dx
        along = (((y - y0) * dy + (x - x0) * dx) / (length2 or 1.0)).clamp(0, 1)
        inside = torch.maximum(inside, thickness - torch.hypot(y - y0 - along * dy, x - x0 - along * dx))
    return inside * unit


SHAPES: tuple[Shape, ...] = (superellipse, superellipse, star, star, blob, blob, ring, vessel, vessel, person, person,
                             plant, plant, letters)  # fmt: skip
#: Shapes that the box's floor cuts off.
STANDING: tuple[Shape, ...] = (person, plant)


def silhouette(rng: Generator, height: int, width: int, shape: Shape) -> tuple[Tensor, Tensor]:
    """A shape with an edge: (alpha in [0, 1], depth of each pixel inside the outline in units of half the short side).

    Most edges are one pixel wide; one in four is frayed like fur or grass, one in six is soft over several pixels.
    """
    inside = shape(rng, height, width)
    unit = min(height, width) / 2
    if chance(rng, 0.25):
        inside = inside + uniform(rng, 1, 0.08 * unit + 1) * (fractal(rng, height, width, unit / 10, 3, 0.8) - 0.6)
    softness = uniform(rng, 2, 0.05 * unit + 2) if chance(rng, 1 / 6) else 1.0
    return step(inside - softness / 2, softness), inside.clamp_min(0) / unit
