"""A scene of three disparity planes, and its picture at any focus and aperture.

DeepLens (Wang et al. 2018, Sec. 4.2): a background, constant or sloping, and two foreground objects of constant
disparity; each plane is blurred on its own and composited back to front, so that what lies behind an occluder is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
import torch.nn.functional as functional
from torch import Tensor

from bokehbench.data.synthetic.lights import add_lights
from bokehbench.data.synthetic.noise import Generator, chance, uniform
from bokehbench.data.synthetic.procedural import BackdropSource, ObjectSource
from bokehbench.data.synthetic.slope_blur import blur_slope
from bokehbench.data.synthetic.textures import detailed
from bokehbench.optics.linear_light import to_srgb
from bokehbench.optics.plane import blur_plane

FocusOn = Literal["random", "middle", "front", "background"]
FOCUS_ON: tuple[FocusOn, ...] = get_args(FocusOn)
#: The usual aperture over the long side: 8 px at the 320 level of DeepLens, 16 at 640.
APERTURE_SHARE = 0.025


@dataclass(frozen=True)
class SceneOptions:
    """What all scenes of a data set have in common; see :class:`bokehbench.data.SyntheticDoF`."""

    height: int
    width: int
    aperture: float
    """Blur radius in pixels at a disparity difference of 1; the largest, where scenes differ in it."""
    seed: int = 0
    disparity_input: str = "corrupted"
    linear_light: bool = True
    highlight_gain: float = 16.0
    slope_probability: float = 0.5
    corruption_probability: float = 0.75
    focus_on: FocusOn = "random"
    disparity_scale: str | None = None
    detail: float = 0.0
    smallest_aperture: float | None = None
    """Where scenes differ in the aperture: it is uniform between this and ``aperture``."""

    @property
    def margin(self) -> int:
        """Pixels around the frame; the same for all usual apertures, so that these show the same scenes."""
        return math.ceil(max(self.aperture, APERTURE_SHARE * max(self.height, self.width)))


@dataclass(frozen=True)
class Foreground:
    """An object at one disparity, somewhere on the scene's canvas."""

    rgba: Tensor
    """4 h w: RGB in working light, multiplied by alpha, then alpha."""
    top: int
    """Canvas row of the first row of ``rgba``."""
    left: int
    disparity: float

    def within(self, top: int, left: int, height: int, width: int) -> Foreground:
        """The part in a rectangle of the canvas, which is the canvas from then on; perhaps empty."""
        y, x = self.top - top, self.left - left
        rgba = self.rgba[:, max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)]
        return Foreground(rgba.contiguous(), max(y, 0), max(x, 0), self.disparity)


@dataclass(frozen=True)
class Scene:
    """Planes on a canvas that is larger than the frame by ``margin`` on each side, so that light from outside
    the frame blurs into it as it should."""

    backdrop: Tensor
    """3 H W on the canvas, RGB in working light."""
    backdrop_disparity: Tensor
    """On the canvas: 0-dim where the background is constant, H 1 where it rises downwards, 1 W where sideways."""
    foregrounds: tuple[Foreground, Foreground]
    """Middle, then front."""
    focus: float
    margin: int
    linear_light: bool

    def picture(self, aperture: float, focus: float | None = None) -> Tensor:
        """Encoded sRGB in [0, 1], 3 H W of the frame; ``aperture`` in pixels at disparity difference 1, 0 = all sharp.

        ``focus`` replaces the scene's own. ``aperture`` must not exceed the margin.
        """
        focus = self.focus if focus is None else focus
        picture = self._backdrop(aperture, focus)
        for plane in self.foregrounds:
            radius = aperture * abs(plane.disparity - focus)
            # A lattice disk of radius < 1 is a single pixel.
            reach = int(radius)
            rgba = plane.rgba
            if reach and rgba.numel():
                rgba = blur_plane(functional.pad(rgba, (reach,) * 4), radius)
            rgba, inside = self._crop(rgba, plane.top - reach, plane.left - reach)
            picture[inside] = rgba[:3] + (1 - rgba[3:]) * picture[inside]
        return to_srgb(picture) if self.linear_light else picture.clamp_(0, 1)

    def window(self, top: int, left: int, height: int, width: int) -> Scene:
        """The scene whose frame is a rectangle of this one's: its pictures are exactly the crops of this one's."""
        rows, columns = height + 2 * self.margin, width + 2 * self.margin
        part = (..., slice(top, top + rows), slice(left, left + columns))
        disparity = self.backdrop_disparity
        if disparity.ndim:
            disparity = disparity.expand(self.backdrop.shape[1:])[part][: disparity.shape[0], : disparity.shape[1]]
        middle, front = (plane.within(top, left, rows, columns) for plane in self.foregrounds)
        return replace(self, backdrop=self.backdrop[part], backdrop_disparity=disparity, foregrounds=(middle, front))

    def disparity(self, regions: list[Tensor] | None = None) -> Tensor:
        """1 H W of the frame in [0, 1], 1 = near; ``regions`` (H W bool each) replace those of the foregrounds."""
        crop = slice(self.margin, -self.margin or None)
        disparity = self.backdrop_disparity.expand(self.backdrop.shape[1:])[crop, crop].clone()
        for plane, region in zip(self.foregrounds, regions or self.regions(), strict=True):
            disparity[region] = plane.disparity
        return disparity[None]

    def regions(self) -> list[Tensor]:
        """Where each foreground's own alpha is at least one half, whatever is in front of it: H W bool of the frame."""
        shape = [n - 2 * self.margin for n in self.backdrop.shape[1:]]
        found = []
        for plane in self.foregrounds:
            region = torch.zeros(shape, dtype=torch.bool)
            alpha, inside = self._crop(plane.rgba[3:] >= 0.5, plane.top, plane.left)
            region[inside[1:]] = alpha[0]
            found.append(region)
        return found

    def _backdrop(self, aperture: float, focus: float) -> Tensor:
        crop = slice(self.margin, -self.margin or None)
        radius = aperture * (self.backdrop_disparity - focus).abs()
        if float(radius.max()) < 1:
            return self.backdrop[:, crop, crop].clone()
        if radius.ndim == 0:
            # A constant opaque plane spreads as much light as it receives: its alpha stays 1.
            return blur_plane(self.backdrop, float(radius))[:, crop, crop].clone()
        return blur_slope(self.backdrop, radius)[:, crop, crop].clone()

    def _crop(self, planes: Tensor, top: int, left: int) -> tuple[Tensor, tuple[slice, slice, slice]]:
        """The part of C h w planes at canvas position (top, left) that lies in the frame, and where it lies there."""
        height, width = (n - 2 * self.margin for n in self.backdrop.shape[1:])
        top, left = top - self.margin, left - self.margin
        y0, x0 = min(max(top, 0), height), min(max(left, 0), width)
        y1, x1 = max(min(top + planes.shape[1], height), y0), max(min(left + planes.shape[2], width), x0)
        inner = planes[:, y0 - top : y1 - top, x0 - left : x1 - left]
        return inner, (slice(None), slice(y0, y1), slice(x0, x1))


def draw_scene(rng: Generator, options: SceneOptions, backdrops: BackdropSource, objects: ObjectSource) -> Scene:
    """Draw a scene.

    Disparities (the paper gives the order only; the ranges are ours): background 0, or with ``slope_probability`` a
    ramp, bottom to top or horizontal, from u(0, 0.1) to u(0.1, 0.4); middle u(background's maximum + 0.1, 0.8);
    front u(middle + 0.1, 1). The focus is one of both foregrounds, the background at a random place, and u(0, 1), or
    always the first, second or third of these with ``focus_on``; the rest of the scene does not depend on it.
    """
    rows, columns = options.height + 2 * options.margin, options.width + 2 * options.margin
    slope, farthest, nearest = _ramp(rng, options)
    middle = uniform(rng, nearest + 0.1, 0.8)
    front = uniform(rng, middle + 0.1, 1)
    places = (middle, front, uniform(rng, farthest, nearest), uniform(rng, 0, 1))
    drawn = int(rng.integers(4))  # also where it is not used: all else stays the same scene
    focus = places[drawn if options.focus_on == "random" else FOCUS_ON.index(options.focus_on) - 1]
    backdrop = backdrops.backdrop(rng, rows, columns)
    if options.detail:
        backdrop = detailed(rng, backdrop, options.detail)
    backdrop = add_lights(rng, backdrop, options.highlight_gain)
    planes = [_place(rng, objects, rows, columns, disparity, options) for disparity in (middle, front)]
    if not options.linear_light:
        backdrop = to_srgb(backdrop)
        planes = [Foreground(_encode(p.rgba), p.top, p.left, p.disparity) for p in planes]
    return Scene(backdrop, slope, (planes[0], planes[1]), focus, options.margin, options.linear_light)


def _ramp(rng: Generator, options: SceneOptions) -> tuple[Tensor, float, float]:
    """The background's disparity as in :class:`Scene`, its minimum and its maximum in the frame."""
    if not chance(rng, options.slope_probability):
        return torch.tensor(0.0), 0.0, 0.0
    far, near = uniform(rng, 0, 0.1), uniform(rng, 0.1, 0.4)
    vertical, mirrored = chance(rng, 0.5), chance(rng, 0.5)
    size = options.height if vertical else options.width
    along = (torch.arange(size + 2 * options.margin) - options.margin) / max(size - 1, 1)
    if mirrored and not vertical:
        along = 1 - along
    values = (far + (near - far) * along).clamp_(0, 1)
    return values[:, None] if vertical else values[None, :], far, near


def _place(
    rng: Generator, objects: ObjectSource, rows: int, columns: int, disparity: float, options: SceneOptions
) -> Foreground:
    """Put an object on the canvas: on or below its lower edge, or (only if not cut off) anywhere, centre inside."""
    colour, alpha, standing = objects.cutout(rng, rows, columns)
    if options.detail:
        colour = detailed(rng, colour, options.detail)
    if chance(rng, 0.3):
        colour = add_lights(rng, colour, options.highlight_gain / 2)
    height, width = alpha.shape
    left = int(uniform(rng, 0.1, 0.9) * columns - width / 2)
    if chance(rng, 0.4) or standing:
        top = rows - int(height * uniform(rng, 0.7, 1.0))
    else:
        top = int(uniform(rng, 0.15, 0.9) * rows - height / 2)
    if (height, width) == (rows, columns):
        top = left = 0
    whole = Foreground(torch.cat([colour * alpha, alpha[None]]), top, left, disparity)
    return whole.within(0, 0, rows, columns)


def _encode(rgba: Tensor) -> Tensor:
    """Premultiplied linear to premultiplied encoded RGB."""
    alpha = rgba[3:]
    return torch.cat([to_srgb(rgba[:3] / alpha.clamp_min(1e-6)) * alpha, alpha])
