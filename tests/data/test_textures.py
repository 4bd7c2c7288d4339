"""Textures, shapes and lights: ranges, sizes, and dependence on the generator alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bokehbench.data.synthetic.lights import add_lights, lamps
from bokehbench.data.synthetic.palettes import PALETTES, palette
from bokehbench.data.synthetic.procedural import Procedural
from bokehbench.data.synthetic.shapes import SHAPES, Shape, bars, silhouette
from bokehbench.data.synthetic.textures import BACKDROPS, SURFACES, Texture, surface

TEXTURES = sorted({*BACKDROPS, *SURFACES}, key=lambda f: f.__name__)
OUTLINES = sorted({*SHAPES, bars}, key=lambda f: f.__name__)


@pytest.mark.parametrize("texture", TEXTURES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("size", [(64, 48), (37, 91), (8, 9)])
def test_a_texture_is_linear_rgb_of_the_size_asked_for(texture: Texture, size: tuple[int, int]) -> None:
    for seed in range(4):
        picture = surface(np.random.default_rng(seed), *size, (texture,))
        assert picture.shape == (3, *size)
        assert picture.dtype == torch.float32
        assert picture.min() >= 0
        assert picture.max() <= 1


@pytest.mark.parametrize("texture", TEXTURES, ids=lambda f: f.__name__)
def test_a_texture_has_detail(texture: Texture) -> None:
    pictures = [surface(np.random.default_rng(seed), 64, 64, (texture,)) for seed in range(6)]
    assert np.median([float(picture.std()) for picture in pictures]) > 0.02


@pytest.mark.parametrize("shape", OUTLINES, ids=lambda f: f.__name__)
def test_a_shape_covers_part_of_its_box(shape: Shape) -> None:
    for seed, size in enumerate([(80, 60), (61, 95), (48, 48), (9, 8)]):
        alpha, depth = silhouette(np.random.default_rng(seed), *size, shape)
        assert alpha.shape == depth.shape == size
        assert alpha.min() >= 0
        assert alpha.max() <= 1
        if min(size) > 20:
            assert 0.005 < alpha.mean() < 0.9
        assert (depth >= 0).all()


def test_shapes_have_hard_and_soft_edges() -> None:
    partial = []
    for seed in range(30):
        alpha, _ = silhouette(np.random.default_rng(seed), 100, 100, SHAPES[0])
        partial.append(float(((alpha > 0.05) & (alpha < 0.95)).float().mean()))
    assert min(partial) < 0.03
    assert max(partial) > 3 * min(partial)


def test_all_palettes_go_from_dark_to_light() -> None:
    for name in PALETTES:
        scale = palette(np.random.default_rng(0), name).mean(0)
        assert scale[-1] > 1.5 * scale[0]


def test_the_same_generator_state_gives_the_same_object() -> None:
    first, second = (Procedural().cutout(np.random.default_rng(3), 100, 90) for _ in range(2))
    assert torch.equal(first.colour, second.colour)
    assert torch.equal(first.alpha, second.alpha)


def test_lamps_exceed_white_and_no_gain_changes_nothing() -> None:
    dark = torch.full((3, 64, 64), 0.1)
    lit = lamps(np.random.default_rng(0), dark, 16.0)
    assert lit.max() > 2
    assert (lit >= dark).all()
    assert (dark == 0.1).all(), "the picture passed in was changed"
    assert add_lights(np.random.default_rng(0), dark, 0.0) is dark
