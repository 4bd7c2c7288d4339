"""Backdrops and objects made of procedural textures and shapes: the source that needs no files."""

from typing import NamedTuple, Protocol

from torch import Tensor

from bokehbench.data.synthetic.noise import Generator, chance, coordinates, smoothstep, uniform
from bokehbench.data.synthetic.shapes import SHAPES, STANDING, Shape, bars, silhouette
from bokehbench.data.synthetic.textures import BACKDROPS, surface


class BackdropSource(Protocol):
    """Where backgrounds come from."""

    def backdrop(self, rng: Generator, height: int, width: int) -> Tensor:
        """Linear RGB in [0, 1], 3 H W."""


class Cutout(NamedTuple):
    """An object in its box."""

    colour: Tensor
    """3 h w, linear RGB in [0, 1], defined beyond the outline too."""
    alpha: Tensor
    """h w in [0, 1]."""
    standing: bool = False
    """Cut off by the box's floor, which therefore must not show: a bust, a stem."""


class ObjectSource(Protocol):
    """Where foreground objects come from."""

    def cutout(self, rng: Generator, height: int, width: int) -> Cutout:
        """An object for a scene of height x width, of any size."""


class Procedural:
    """Textured backdrops, and shaded objects of random shape and texture."""

    def backdrop(self, rng: Generator, height: int, width: int) -> Tensor:
        """A textured backdrop: linear RGB in [0, 1], 3 H W."""
        return surface(rng, height, width, BACKDROPS)

    def cutout(self, rng: Generator, height: int, width: int) -> Cutout:
        """A shaded object, or (6 %) a fence across the whole scene."""
        rows, columns = height, width
        shape: Shape = bars
        if not chance(rng, 0.06):
            shape = SHAPES[int(rng.integers(len(SHAPES)))]
            size, aspect = uniform(rng, 0.4, 1.1) * min(height, width), uniform(rng, 0.65, 1.5)
            rows, columns = max(int(size * aspect**0.5), 8), max(int(size / aspect**0.5), 8)
        alpha, depth = silhouette(rng, rows, columns, shape)
        return Cutout(self._shade(rng, surface(rng, rows, columns), depth), alpha, shape in STANDING)

    @staticmethod
    def _shade(rng: Generator, picture: Tensor, depth: Tensor) -> Tensor:
        """Round the object off: darker towards its outline and away from a light."""
        y, x = coordinates(*depth.shape)
        light_y, light_x = uniform(rng, -0.5, 0.2), uniform(rng, -0.4, 0.4)
        rim = uniform(rng, 0, 0.6)
        light = 1 - rim + rim * smoothstep(depth * uniform(rng, 2, 6)) + light_y * y + light_x * x
        return (picture * light.clamp_min(0.1) * uniform(rng, 0.8, 1.25)).clamp_(0, 1)
