"""Procedural surfaces: functions of (generator, height, width) that return linear RGB, 3 H W, in [0, 1]."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bokehbench.data.synthetic.noise import (
    Generator,
    chance,
    coordinates,
    fractal,
    log_uniform,
    per_cell,
    smooth,
    smoothstep,
    step,
    turned,
    uniform,
    white,
)
from bokehbench.data.synthetic.palettes import palette, tint

Texture = Callable[[Generator, int, int], Tensor]


def mottled(rng: Generator, height: int, width: int) -> Tensor:
    """Stone, plaster, cloth, water: several octaves of noise, sometimes streaked or ridged."""
    cell, rough = min(height, width) * log_uniform(rng, 0.1, 0.5), uniform(rng, 0.5, 0.72)
    stretch = log_uniform(rng, 1, 6) if chance(rng, 0.4) else 1
    field = fractal(rng, height, width, cell, 7, rough, stretch)
    if chance(rng, 0.3):
        field = 1 - (2 * field - 1).abs()
    return tint(field, palette(rng))


def cellular(rng: Generator, height: int, width: int, cells: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Voronoi cells of a jittered grid: distance to the nearest seed, gap to the second, and two per-cell fields.

    All H W; distances in cells. Four neighbours are enough because the jitter is at most a quarter of a cell.
    """
    v, u = turned(rng, height, width, cells)
    if chance(rng, 0.5):
        u = u * uniform(rng, 0.4, 0.8)
    jitter_row, jitter_column, shade, kind = (white(rng, 1024) for _ in range(4))
    best = torch.full((height, width), 9.0)
    second = best
    owner = torch.zeros(height, width, dtype=torch.long)
    row0, column0 = (v - 0.5).floor(), (u - 0.5).floor()
    for row in (row0, row0 + 1):
        for column in (column0, column0 + 1):
            index = ((row.long() % 32) * 32 + column.long() % 32).reshape(-1)
            dv = v - row - 0.25 - 0.5 * jitter_row.index_select(0, index).view(height, width)
            du = u - column - 0.25 - 0.5 * jitter_column.index_select(0, index).view(height, width)
            distance = dv * dv + du * du
            second = torch.minimum(second, torch.maximum(distance, best))
            owner = torch.where(distance < best, index.view(height, width), owner)
            best = torch.minimum(best, distance)
    best, second = best.sqrt(), second.sqrt()
    shade, kind = (f.index_select(0, owner.reshape(-1)).view(height, width) for f in (shade, kind))
    return best, second - best, shade, kind


def leaves(rng: Generator, height: int, width: int) -> Tensor:
    """Foliage, pebbles, scales: cells, each with its own shade, darker towards the gaps."""
    best, gap, shade, _ = cellular(rng, height, width, log_uniform(rng, 8, 30))
    patches = smooth(rng, height, width, (min(height, width) / 4,) * 2)
    field = 0.45 * shade + 0.35 * patches + 0.35 * (0.6 - best) * uniform(rng, 0.3, 1.2)
    field = field * smoothstep(gap * uniform(rng, 4, 10) + 0.1)
    return tint(field, palette(rng, "forest", "grass", "autumn", "stone", "sand", "sea", "earth", "violet", "rose"))


def flowers(rng: Generator, height: int, width: int) -> Tensor:
    """Discs of a second colour scattered over a meadow, a wall or a cloth."""
    best, _, shade, kind = cellular(rng, height, width, log_uniform(rng, 6, 24))
    ground = tint(fractal(rng, height, width, min(height, width) / 12, 5, 0.7, log_uniform(rng, 0.3, 1)), palette(rng))
    bloom = tint(0.35 + 0.5 * shade + (0.2 - best), palette(rng))
    mask = step(uniform(rng, 0.12, 0.25) + 0.15 * shade - best, 0.06) * (kind < uniform(rng, 0.3, 0.9))
    return torch.lerp(ground, bloom, mask)


def bricks(rng: Generator, height: int, width: int) -> Tensor:
    """Running-bond bricks, tiles or planks with joints, each stone with its own shade."""
    v, u = turned(rng, height, width, log_uniform(rng, 5, 20), 0.25 if chance(rng, 0.7) else math.pi)
    u = u / uniform(rng, 1, 4)
    row = v.floor()
    u = u + row * (0.5 if chance(rng, 0.7) else 0.0)
    column = u.floor()
    aspect = 2.5
    edge = torch.minimum(0.5 - (v - row - 0.5).abs(), (0.5 - (u - column - 0.5).abs()) * aspect)
    (shade,) = per_cell(rng, row, column)
    grain = fractal(rng, height, width, min(height, width) / 10, 5, 0.75)
    stone = tint(0.15 + 0.4 * shade + 0.4 * grain, palette(rng))
    joint = tint(0.3 + 0.4 * grain, palette(rng, "stone", "paper", "earth", "night", "sand"))
    return torch.lerp(joint, stone, step(edge - uniform(rng, 0.03, 0.08), 0.08))


def checks(rng: Generator, height: int, width: int) -> Tensor:
    """Chequered floors, gingham and tartan: products of square or soft stripes."""
    v, u = turned(rng, height, width, log_uniform(rng, 4, 24))
    hard = uniform(rng, 1, 12)
    stripe_v = (torch.sin(math.pi * v) * hard).clamp_(-1, 1)
    stripe_u = (torch.sin(math.pi * u) * hard).clamp_(-1, 1)
    field = 0.5 + 0.4 * stripe_v * stripe_u if chance(rng, 0.5) else 0.5 + 0.2 * (stripe_v + stripe_u)
    grain = fractal(rng, height, width, min(height, width) / 8, 6, 0.7)
    return tint(0.85 * field + 0.3 * (grain - 0.3), palette(rng))


def grating(rng: Generator, height: int, width: int) -> Tensor:
    """Wood grain, blinds, knitting, ripples: stripes bent by low-frequency noise."""
    v, _ = turned(rng, height, width, log_uniform(rng, 6, 50))
    bend = fractal(rng, height, width, min(height, width) / 2, 3, 0.4, 2.0)
    wave = torch.sin((2 * math.pi) * (v + uniform(rng, 0, 4) * bend))
    grain = fractal(rng, height, width, min(height, width) / 6, 6, 0.7, log_uniform(rng, 1, 8))
    return tint(0.5 + uniform(rng, 0.1, 0.4) * wave + 0.5 * (grain - 0.5), palette(rng))


def script(rng: Generator, height: int, width: int) -> Tensor:
    """Lines of letter-like strokes on paper, a poster or a board."""
    v, u = turned(rng, height, width, log_uniform(rng, 6, 18), 0.3)
    u = u * 1.6
    row, column = v.floor(), u.floor()
    y, x = (v - row - 0.5) * 2.6, (u - column - 0.5) * 2.8
    stem, bar, bowl, gone = per_cell(rng, row, column, 4)
    (line,) = per_cell(rng, row, torch.zeros_like(row))
    thickness = uniform(rng, 0.12, 0.28)
    radius = (x * x + y * y).sqrt()
    ink = torch.where(bowl < 0.5, (radius - 0.75).abs(), torch.full_like(radius, 9.0))
    inside = torch.maximum(x.abs(), y.abs()) - 1
    for chosen, distance in (
        (stem < 0.6, (x + 0.8).abs()),
        (stem > 0.7, (x - 0.75).abs()),
        (bar < 0.3, y.abs()),
        ((bar > 0.25) & (bar < 0.6), (y - 0.85).abs()),
        (bar > 0.75, (x - 0.8 * y).abs() * 0.8),
        (bowl > 0.6, (y + 0.85).abs()),
    ):
        ink = torch.where(chosen, torch.minimum(ink, distance), ink)
    ink = torch.maximum(ink - thickness, inside)
    pixel = 2.6 / (min(height, width) / 8)
    mask = step(-ink, max(pixel, 0.1)) * (gone > 0.18) * (line > 0.15)
    paper = tint(0.6 + 0.35 * fractal(rng, height, width, min(height, width) / 3, 6, 0.5), palette(rng))
    ink_colour = tint(0.25 * line, palette(rng))
    return torch.lerp(ink_colour, paper, mask) if chance(rng, 0.25) else torch.lerp(paper, ink_colour, mask)


def facade(rng: Generator, height: int, width: int) -> Tensor:
    """House fronts: a regular grid of windows, some of them lit."""
    v, u = turned(rng, height, width, log_uniform(rng, 5, 14), 0.06)
    row, column = v.floor(), u.floor()
    half_height, half_width = uniform(rng, 0.2, 0.42), uniform(rng, 0.15, 0.42)
    edge = torch.minimum(half_height - (v - row - 0.5).abs(), half_width - (u - column - 0.5).abs())
    lit, shade = per_cell(rng, row, column, 2)
    wall = tint(
        0.25 + 0.35 * fractal(rng, height, width, min(height, width) / 5, 6, 0.6, 0.5),
        palette(rng, "stone", "brick", "night", "sand", "denim", "steel", "terracotta"),
    )
    glass = tint(0.1 + 0.4 * shade, palette(rng, "night", "sea", "steel", "sky"))
    lamp = tint(0.7 + 0.4 * shade, palette(rng, "sunflower", "dusk", "paper"))
    pane = torch.where(lit < uniform(rng, 0, 0.6), lamp, glass)
    cross = step((u - column - 0.5).abs() - 0.02, 0.03)
    return torch.lerp(wall, pane * (0.3 + 0.7 * cross), step(edge, 0.06))


def landscape(rng: Generator, height: int, width: int) -> Tensor:
    """Sky with clouds over a ragged horizon, hills or trees, and ground."""
    y, _ = coordinates(height, width)
    short = min(height, width)
    sky = palette(rng, "sky", "sky", "dusk", "overcast", "night", "sea")
    clouds = smoothstep(fractal(rng, height, width, short / 2, 6, 0.55, 3.0) * 1.6 - 0.4)
    horizon = uniform(rng, -0.5, 0.6)
    lift = 0.35 * (y - horizon) / (1 + horizon) if horizon > -0.9 else y
    picture = tint(0.6 + 0.9 * lift + 0.35 * clouds, sky)
    for index in range(int(rng.integers(1, 4))):
        skyline = fractal(rng, 2, width, short / uniform(rng, 1, 8), 7, uniform(rng, 0.35, 0.65))[:1]
        top = horizon + 0.25 * index - 0.4 * (skyline - 0.3)
        detail = fractal(rng, height, width, short / 10 * (1 + index), 6, 0.72, uniform(rng, 1, 3))
        ground = palette(rng, "forest", "grass", "earth", "sand", "autumn", "stone", "teal", "denim")
        field = 0.1 + 0.6 * detail + 0.15 * (y - top)
        picture = torch.lerp(picture, tint(field, ground), step((y - top) * short / 2, 1.5))
    return picture


def gradient(rng: Generator, height: int, width: int) -> Tensor:
    """A smooth studio backdrop or painted surface with faint grain."""
    v, _ = turned(rng, height, width, 1.0)
    low, high = torch.aminmax(v)
    grain = fractal(rng, height, width, min(height, width) / 3, 7, 0.6)
    return tint((v - low) / (high - low) * uniform(rng, 0.4, 0.8) + 0.35 * grain, palette(rng))


SURFACES: tuple[Texture, ...] = (
    mottled, mottled, leaves, flowers, bricks, checks, grating, grating, script, gradient,
)  # fmt: skip
BACKDROPS: tuple[Texture, ...] = (
    mottled, leaves, leaves, flowers, flowers, bricks, checks, grating, script, facade, facade, landscape, landscape,
    landscape, gradient,
)  # fmt: skip


def detailed(rng: Generator, picture: Tensor, contrast: float) -> Tensor:
    """3 H W with random detail one to three pixels wide, of a relative contrast of up to ``contrast``.

    Photos have detail up to the last pixel, and textures of a scene's size little of it: without, there is next to no
    difference between a picture in focus and one that was halved and enlarged.
    """
    height, width = picture.shape[-2:]
    field = smooth(rng, height, width, (log_uniform(rng, 1, 3),) * 2)
    return (picture * (1 + uniform(rng, 0, 2 * contrast) * (field - 0.5))).clamp_(0, 1)


def surface(rng: Generator, height: int, width: int, textures: tuple[Texture, ...] = SURFACES) -> Tensor:
    """One of ``textures`` under uneven light, linear RGB, 3 H W, in [0, 1]."""
    picture = textures[int(rng.integers(len(textures)))](rng, height, width)
    light = smooth(rng, height, width, (min(height, width) / 1.5,) * 2)
    strength = uniform(rng, 0.2, 0.9)
    return (picture * (1.1 - strength + 1.2 * strength * light)).clamp_(0, 1)
