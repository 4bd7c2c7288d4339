"""Colour scales in linear light, from dark to light, in the manner of photographs."""

import colorsys
from importlib.resources import files

import torch
import torch.nn.functional as functional
from torch import Tensor

from bokehbench.data.synthetic.noise import Generator, uniform
from bokehbench.optics.linear_light import to_linear

_LINES = (files("bokehbench.data.synthetic") / "palettes.txt").read_text(encoding="utf-8").splitlines()[1:]
#: Name -> sRGB hexadecimal stops from dark to light.
PALETTES = {name: stops for name, *stops in map(str.split, _LINES)}
STEPS = 512


def palette(rng: Generator, *names: str) -> Tensor:
    """A colour scale, 3 x :data:`STEPS`, linear RGB: a palette of these names (none = all), jittered in HSV."""
    names = names or tuple(PALETTES)
    name = names[int(rng.integers(len(names)))]
    hue, saturation, value = uniform(rng, -0.03, 0.03), uniform(rng, 0.6, 1.15), uniform(rng, 0.8, 1.1)
    stops = []
    for text in PALETTES[name]:
        h, s, v = colorsys.rgb_to_hsv(*(int(text[i : i + 2], 16) / 255 for i in (0, 2, 4)))
        stops.append(colorsys.hsv_to_rgb((h + hue) % 1, min(s * saturation, 1), min(v * value, 1)))
    scale = torch.tensor(stops, dtype=torch.float32).T[None]
    scale = functional.interpolate(scale, STEPS, mode="linear", align_corners=True)
    return to_linear(scale[:, :, None])[0, :, 0]


def tint(values: Tensor, scale: Tensor) -> Tensor:
    """Colour a field in [0, 1] (H W, clipped) by a scale of :func:`palette`: 3 H W, linear RGB."""
    index = (values * STEPS).long().clamp_(0, STEPS - 1)
    return scale.index_select(1, index.reshape(-1)).view(3, *values.shape)
