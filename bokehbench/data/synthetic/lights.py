"""Small lights and glints brighter than white: what a wide aperture turns into bokeh balls."""

import math

import torch
from torch import Tensor

from bokehbench.data.synthetic.noise import Generator, chance, log_uniform, uniform

COLOURS = ((1.0, 0.95, 0.85), (1.0, 0.75, 0.4), (0.75, 0.88, 1.0), (1.0, 0.35, 0.2), (0.4, 1.0, 0.55), (1.0, 0.6, 0.8))


def add_lights(rng: Generator, picture: Tensor, gain: float) -> Tensor:
    """Add lamps to 40 % and glints to 25 % of the pictures (linear RGB, 3 H W; a new tensor).

    ``gain`` is the radiance of the brightest lamp, white being 1; with 0 the picture comes back as it is.
    """
    if gain <= 0:
        return picture
    if chance(rng, 0.25):
        picture = glints(picture, gain * uniform(rng, 0.1, 0.5), uniform(rng, 0.001, 0.01))
    return lamps(rng, picture, gain) if chance(rng, 0.4) else picture


def glints(picture: Tensor, gain: float, share: float) -> Tensor:
    """Lift the brightest ``share`` of the pixels towards ``gain`` times their value: sun on water, dew and leaves."""
    light = picture.mean(0)
    # A subsample is enough for a threshold and saves sorting the whole picture.
    sample = light[::5, ::5].reshape(-1)
    threshold = sample.kthvalue(max(1, int(sample.numel() * (1 - share)))).values
    peak = light.max()
    return picture * (1 + gain * ((light - threshold) / (peak - threshold).clamp_min(1e-3)).clamp(0, 1))


def lamps(rng: Generator, picture: Tensor, gain: float) -> Tensor:
    """Add round lamps of a few pixels: scattered anywhere, or strung along a curve."""
    picture = picture.clone()
    _, height, width = picture.shape
    scale = max(height, width) / 320
    count = int(log_uniform(rng, 3, 45))
    strung = chance(rng, 0.35)
    y0, slope, sag = uniform(rng, 0.1, 0.8), uniform(rng, -0.4, 0.4), uniform(rng, -0.3, 0.5)
    colours = [COLOURS[int(rng.integers(len(COLOURS)))] for _ in range(int(rng.integers(1, 4)))]
    typical = log_uniform(rng, 0.8, 2.2)
    for index in range(count):
        x = (index + uniform(rng, 0.3, 0.7)) / count if strung else uniform(rng, 0, 1)
        y = y0 + slope * (x - 0.5) + sag * (4 * x * (1 - x) - 1) if strung else uniform(rng, 0, 1)
        radius = typical * scale * log_uniform(rng, 0.7, 1.4)
        strength = gain * log_uniform(rng, 0.2, 1)
        _lamp(picture, y * height, x * width, radius, strength, colours[int(rng.integers(len(colours)))])
    return picture


def _lamp(
    picture: Tensor, y: float, x: float, radius: float, strength: float, colour: tuple[float, float, float]
) -> None:
    """Add one anti-aliased disc in place."""
    reach = math.ceil(radius + 1)
    top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
    patch = picture[:, top : max(int(y) + reach + 1, 0), left : max(int(x) + reach + 1, 0)]
    rows = torch.arange(top, top + patch.shape[1]) + 0.5 - y
    columns = torch.arange(left, left + patch.shape[2]) + 0.5 - x
    disc = (radius + 0.5 - torch.hypot(rows[:, None], columns[None])).clamp_(0, 1) * strength
    for channel, share in enumerate(colour):
        patch[channel] += disc * share
