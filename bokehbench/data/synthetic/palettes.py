"""Colour scales in linear light, from dark to light, in the manner of photographs."""

import colorsys

import torch
import torch.nn.functional as functional
from torch import Tensor

from bokehbench.data.synthetic.noise import Generator, uniform
from bokehbench.optics.linear_light import to_linear

#: sRGB hexadecimal stops from dark to light.
PALETTES = {
    "forest": "0d1a0c 24401c 4c6b2a 86964a c9cf8e",
    "grass": "1d2b10 3f5f1f 6f8f35 a3b85a d7dc9b",
    "autumn": "2a0f08 6b2a10 b5541c d99434 f0d080",
    "earth": "17110c 3d2c1f 6b5138 9c7d5b cdb595",
    "sand": "5a4630 8f7450 b99b70 d9c19a f1e4c9",
    "stone": "1b1c1e 45474a 74767a a3a5a8 d6d7d8",
    "brick": "33150f 6b2b1e 97442f b9694c d9a68a",
    "wood": "24140a 52301a 80512d ad7d4d d8b384",
    "sea": "041d2b 0b4257 1f7186 5aa5b0 bfe0df",
    "sky": "2b5f9e 4f88c4 82b1de b5d4ee eaf4fb",
    "dusk": "141229 43264f 8a3f5c d9775a f9cf8f",
    "overcast": "6b737c 8b939b abb2b8 c9ced2 e7eaec",
    "night": "04050b 0b0f1d 18203a 37406a 8289a8",
    "rose": "3a0a1c 83183c c2416a e58aa3 f9d9de",
    "sunflower": "4a2a05 996208 dba015 f2ca45 fbeeb0",
    "violet": "180d33 3d2572 6d4fae a48ed4 ded4f2",
    "denim": "0c1526 1d3354 3b5c86 7192b5 b9cbdc",
    "terracotta": "3b1a10 7d3b23 b7653f d99a6c f1d3ae",
    "skin": "3b1f14 7a4a33 b27c5c d9a987 f3d8c0",
    "paper": "8d877a b5ae9f d5cfc1 e9e5da f8f6ef",
    "steel": "10151a 36424d 687885 a2b0ba e6edf1",
    "teal": "05211f 0e4a44 1f7a6e 5cb09c c0e3d3",
    "crimson": "200405 5e0b0f a1181d d44a3f f2a78f",
}
STEPS = 512


def palette(rng: Generator, *names: str) -> Tensor:
    """A colour scale, 3 x :data:`STEPS`, linear RGB: a palette of these names (none = all), jittered in HSV."""
    names = names or tuple(PALETTES)
    name = names[int(rng.integers(len(names)))]
    hue, saturation, value = uniform(rng, -0.03, 0.03), uniform(rng, 0.6, 1.15), uniform(rng, 0.8, 1.1)
    stops = []
    for text in PALETTES[name].split():
        h, s, v = colorsys.rgb_to_hsv(*(int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)))
        stops.append(colorsys.hsv_to_rgb((h + hue) % 1, min(s * saturation, 1), min(v * value, 1)))
    scale = torch.tensor(stops, dtype=torch.float32).T[None]
    scale = functional.interpolate(scale, STEPS, mode="linear", align_corners=True)
    return to_linear(scale[:, :, None])[0, :, 0]


def tint(values: Tensor, scale: Tensor) -> Tensor:
    """Colour a field in [0, 1] (H W, clipped) by a scale of :func:`palette`: 3 H W, linear RGB."""
    index = (values * STEPS).long().clamp_(0, STEPS - 1)
    return scale.index_select(1, index.reshape(-1)).view(3, *values.shape)
