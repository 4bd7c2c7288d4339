"""The scene's renderer against a slow per-pixel one, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from bokehbench.data.synthetic.procedural import Cutout, Procedural
from bokehbench.data.synthetic.scene import Foreground, Scene, SceneOptions, draw_scene
from bokehbench.data.synthetic.slope_blur import blur_slope
from bokehbench.optics.linear_light import to_srgb


def slow_spread(plane: Tensor, radius: Tensor) -> Tensor:
    """Every pixel of C H W to its own lattice disk, light leaving the canvas is lost."""
    _, height, width = plane.shape
    out = torch.zeros_like(plane, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            r = float(radius[y, x])
            n = int(r)
            disk = [(a, b) for a in range(-n, n + 1) for b in range(-n, n + 1) if a * a + b * b <= r * r + 1e-9]
            for a, b in disk:
                if 0 <= y + a < height and 0 <= x + b < width:
                    out[:, y + a, x + b] += plane[:, y, x].double() / len(disk)
    return out


def slow_picture(scene: Scene, aperture: float) -> Tensor:
    """The scene's picture by definition: each plane spread over the whole canvas, then over-composited."""
    shape = scene.backdrop.shape[1:]
    radius = aperture * (scene.backdrop_disparity.expand(shape) - scene.focus).abs()
    opaque = slow_spread(torch.cat([scene.backdrop, torch.ones(1, *shape)]), radius)
    inside = (slice(None), slice(scene.margin, -scene.margin), slice(scene.margin, -scene.margin))
    picture = opaque[:3] / opaque[3:]
    for plane in scene.foregrounds:
        rgba = torch.zeros(4, *shape)
        _, rows, columns = plane.rgba.shape
        rgba[:, plane.top : plane.top + rows, plane.left : plane.left + columns] = plane.rgba
        spread = slow_spread(rgba, torch.full(shape, aperture * abs(plane.disparity - scene.focus)))
        picture = spread[:3] + (1 - spread[3:]) * picture
    return to_srgb(picture[inside]).float()


def draw(seed: int, height: int = 23, width: int = 18, margin: int = 5, **options: float) -> Scene:
    source = Procedural()
    scene_options = SceneOptions(height, width, aperture=margin, **options)  # type: ignore[arg-type]
    return draw_scene(np.random.default_rng(seed), scene_options, source, source)


@pytest.mark.parametrize("along", ["rows", "columns"])
@pytest.mark.parametrize(("first", "last"), [(0.0, 7.6), (6.0, 2.0), (3.0, 3.0), (-2.5, 4.0)])
def test_the_blur_of_a_slope_is_the_general_one(first: float, last: float, along: str) -> None:
    picture = torch.from_numpy(np.random.default_rng(0).random((3, 41, 52), dtype=np.float32))
    radius = torch.linspace(first, last, 41)[:, None] if along == "rows" else torch.linspace(first, last, 52)[None]
    radius = radius.abs()
    spread = slow_spread(torch.cat([picture, torch.ones(1, 41, 52)]), radius.expand(41, 52)).float()
    inner = (slice(None), slice(8, -8), slice(8, -8))
    found = blur_slope(picture, radius)
    assert found.shape == picture.shape
    torch.testing.assert_close(found[inner], (spread[:3] / spread[3:])[inner], atol=1e-5, rtol=0)
    flat = blur_slope(torch.full((1, 41, 52), 0.3), radius)
    torch.testing.assert_close(flat[inner], torch.full_like(flat[inner], 0.3), atol=1e-6, rtol=0)


@pytest.mark.parametrize("slope", [0.0, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_picture_is_the_slow_one(seed: int, slope: float) -> None:
    scene = draw(seed, slope_probability=slope)
    for aperture in (5.0, 3.3):
        torch.testing.assert_close(scene.picture(aperture), slow_picture(scene, aperture), atol=2e-4, rtol=0)


def test_what_lies_behind_an_occluder_shows_through_its_blur() -> None:
    backdrop = torch.zeros(3, 30, 30)
    backdrop[0, 15, 15] = 1.0  # a red point hidden behind the object's edge
    square = torch.zeros(4, 12, 12)
    square[3] = 1.0  # a black, opaque square whose edge is one pixel from the point
    plane = Foreground(square, 9, 14, 1.0)
    nothing = Foreground(torch.zeros(4, 1, 1), 0, 0, 0.5)
    scene = Scene(backdrop, torch.tensor(0.0), (nothing, plane), focus=0.0, margin=5, linear_light=True)
    assert scene.picture(0.0).max() == 0
    red = scene.picture(5.0)[0, 10, 10]
    assert 0.1 < red < 0.9


def test_aperture_zero_is_the_sharp_picture_and_focus_keeps_its_plane() -> None:
    scene = draw(4, 96, 90, 6, highlight_gain=16.0)
    sharp = scene.picture(0.0)
    plane = scene.foregrounds[1]
    alpha = torch.zeros(96 + 12, 90 + 12)
    alpha[plane.top : plane.top + plane.rgba.shape[1], plane.left : plane.left + plane.rgba.shape[2]] = plane.rgba[3]
    solid = alpha[6:-6, 6:-6] == 1
    assert solid.any()
    blurred = scene.picture(6.0, focus=plane.disparity)
    assert torch.equal(blurred[:, solid], sharp[:, solid])
    assert (blurred - sharp).abs().mean() > 0.005


def test_a_window_of_the_scene_is_the_crop_of_its_picture() -> None:
    for seed in range(6):
        scene = draw(seed, 50, 61, 7)
        part = scene.window(11, 20, 17, 23)
        torch.testing.assert_close(part.picture(7.0), scene.picture(7.0)[:, 11:28, 20:43], atol=1e-4, rtol=0)
        torch.testing.assert_close(part.picture(0.0), scene.picture(0.0)[:, 11:28, 20:43], atol=1e-6, rtol=0)
        assert torch.equal(part.disparity(), scene.disparity()[:, 11:28, 20:43])


def test_disparities_are_ordered_and_in_range() -> None:
    slopes = 0
    for seed in range(60):
        scene = draw(seed, 32, 32, 2)
        middle, front = (plane.disparity for plane in scene.foregrounds)
        frame = scene.backdrop_disparity.expand(36, 36)[2:-2, 2:-2]
        if scene.backdrop_disparity.ndim:
            slopes += 1
            assert 0.1 <= frame.max() <= 0.4
            assert frame.min() <= 0.1
        assert frame.max() + 0.1 <= middle + 1e-6
        assert middle + 0.1 <= front <= 1
        assert 0 <= scene.focus <= 1
        possible = {*frame.unique().tolist(), *np.float32([middle, front]).tolist()}
        assert set(scene.disparity().unique().tolist()) <= possible
    assert 15 < slopes < 45


def test_ramps_rise_to_the_bottom_or_to_either_side() -> None:
    seen = set()
    for seed in range(40):
        ramp = draw(seed, 32, 32, 2, slope_probability=1.0).backdrop_disparity.expand(36, 36)
        down, right = (float(ramp[-3, 9] - ramp[2, 9]), float(ramp[9, -3] - ramp[9, 2]))
        assert down >= 0
        seen.add((np.sign(round(down, 6)), np.sign(round(right, 6))))
    assert seen == {(1, 0), (0, 1), (0, -1)}


def test_light_above_white_makes_bright_balls_only_in_linear_light() -> None:
    class Dark:
        def backdrop(self, rng: np.random.Generator, height: int, width: int) -> Tensor:
            return torch.full((3, height, width), 0.02)

        def cutout(self, rng: np.random.Generator, height: int, width: int) -> Cutout:
            return Cutout(torch.zeros(3, 1, 1), torch.zeros(1, 1))

    def brightest(**options: float) -> float:
        rng = [np.random.default_rng(seed) for seed in range(12)]
        scene_options = SceneOptions(64, 64, aperture=8, **options)  # type: ignore[arg-type]
        scenes = [draw_scene(r, scene_options, Dark(), Dark()) for r in rng]
        return max(float(scene.picture(8.0, focus=0.6).max()) for scene in scenes)

    assert brightest(highlight_gain=16.0) > 1.5 * brightest(highlight_gain=1.0)
    assert brightest(highlight_gain=16.0) > 1.5 * brightest(highlight_gain=16.0, linear_light=False)
