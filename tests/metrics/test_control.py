"""Instruments of control against renderers whose answer is known: the prototype's table, on a few scenes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from bokehbench.data import Control
from bokehbench.data.control import APERTURES, lamp_places
from bokehbench.metrics.control.dose import NO_KNEE, dose, knee
from bokehbench.metrics.control.focus import locate
from bokehbench.metrics.control.light import highlight_energy, zero_psnr
from bokehbench.metrics.control.lvcorr import laplacian_variance, lvcorr
from bokehbench.metrics.control.places import bins, safe
from bokehbench.metrics.control.radius import measured_radii
from bokehbench.metrics.control.stack import stack
from bokehbench.metrics.control.sweep import Sweep
from bokehbench.optics import layered, scatter, signed_defocus, to_linear, to_srgb

SCENES = (0, 2)
NO_RESPONSE = "does not respond to the aperture"


@cache
def pictures():
    return Control(scenes=max(SCENES) + 1, num_workers=0).pictures("test")


def group(number):
    """The items of a scene by plane, without aperture 0."""
    items = [pictures()[index] for index in pictures().groups[number]]
    return {plane: [i for i in items if i["name"].split("/")[1] == plane and i["aperture"] > 0]
            for plane in ("front", "background")}  # fmt: skip


def array(picture):
    return picture.clamp(0, 1).mul(255).round().div(255).numpy()


def rendered(render, item, aperture, inverted=False):
    disparity, focus = item["disparity"][None], item["focus"][None]
    if inverted:
        disparity, focus = 1 - disparity, 1 - focus
    light = render(to_linear(item["image"][None]), disparity, focus, torch.tensor([float(aperture)]))
    return array(to_srgb(light)[0])


def by_layers(light, disparity, focus, aperture):
    return layered(light, disparity, focus, aperture, layers=32, margin=0.5 / 32)


def by_scattering(light, disparity, focus, aperture):
    return scatter(light, signed_defocus(disparity, focus, aperture))


@pytest.fixture(scope="module")
def measured():
    """Case -> column -> values of all sweeps, and the reasons where there are none."""
    told = [float(each) for each in APERTURES]
    found = {}
    for number in SCENES:
        ruler = None
        for plane, items in group(number).items():
            first = items[0]
            image, disparity = first["image"].numpy(), first["disparity"][0].numpy()
            ruler = ruler or stack(image)
            made = {k: rendered(by_layers, first, k) for k in (2, 6, 10, *APERTURES)}
            cases = {
                "exact": [item["bokeh"].numpy() for item in items],
                "layered": [made[k] for k in told],
                "half": [made[k / 2] for k in told],
                "shuffled": [made[k] for k in (12, 24, 4, 20, 8, 16)],
                "reversed": [made[k] for k in told[::-1]],
                "saturated": [made[min(k, 12)] for k in told],
                "constant": [made[12]] * 6,
                "identity": [image] * 6,
            }
            if plane == "front":
                wrong = {k: rendered(by_layers, first, k, inverted=True) for k in (8, 16)}
                spread = {k: rendered(by_scattering, first, k) for k in (8, 16)}
                cases |= {"inverted": [wrong.get(k, made[k]) for k in told]}
                cases |= {"scatter": [spread.get(k, made[k]) for k in told]}
            for case, outputs in cases.items():
                sweep = Sweep(image, disparity, float(first["focus"]), ruler, 24.0, leaks=plane == "front")
                for aperture, output, item in zip(told, outputs, items, strict=True):
                    sweep.add(aperture, output, item["bokeh"].numpy())
                for column, value in sweep.scores().items():
                    found.setdefault(case, {}).setdefault(column, []).append(value)
    return found


@pytest.mark.parametrize(
    ("case", "slope", "rank", "error"),
    [("exact", 1.01, 1, 0.08), ("layered", 0.98, 1, 0.34), ("half", 0.50, 1, None), ("reversed", -0.98, -1, None),
     ("saturated", 0.38, 0.84, None)],
)  # fmt: skip
def test_the_dose_response_of_renderers_that_are_known(measured, case, slope, rank, error):
    found = measured[case]
    assert np.mean(found["dose_slope"]) == pytest.approx(slope, abs=0.02)
    assert np.mean(found["dose_rank"]) == pytest.approx(rank, abs=0.01)
    if error is not None:
        assert np.mean(found["dose_error"]) == pytest.approx(error, abs=0.05)


def test_shuffled_strength_has_no_slope_and_no_rank(measured):
    assert abs(np.mean(measured["shuffled"]["dose_slope"])) < 0.2
    assert abs(np.mean(measured["shuffled"]["dose_rank"])) < 0.2
    assert np.mean(measured["shuffled"]["dose_error"]) > 3


def test_a_knee_is_found_where_blur_stops_and_nowhere_else(measured):
    assert np.median(measured["saturated"]["dose_knee"]) == pytest.approx(12.0, abs=0.15)
    assert measured["exact"]["dose_knee"] == [NO_KNEE] * 4
    assert knee(np.array(APERTURES), np.array([3.2, 6.0, 10.4, 12.1, 14.7, 18.1])) == NO_KNEE, "stairs"


@pytest.mark.parametrize("case", ["identity", "constant"])
def test_what_does_not_respond_has_no_values_and_says_so(measured, case):
    for column in ("dose_slope", "dose_rank", "dose_knee", "dose_error", "lvcorr", "lvcorr_reference"):
        assert set(measured[case][column]) == {NO_RESPONSE}


def test_grain_that_falls_moves_lvcorr_and_no_dose():
    item = group(0)["front"][0]
    image, disparity = item["image"].numpy(), item["disparity"][0].numpy()
    sweep = Sweep(image, disparity, float(item["focus"]), stack(image), 24.0)
    rng = np.random.default_rng(0)
    for k in APERTURES:
        noise = rng.normal(0, (28 - k) / 2 / 255, image.shape)
        sweep.add(k, (np.clip(image + noise, 0, 1) * 255).round() / 255)
    found = sweep.scores()
    assert found["lvcorr"] > 0.96
    assert found["dose_slope"] == pytest.approx(0, abs=0.02)
    assert found["dose_rank"] == "blur does not change"


def test_the_leak_sees_what_the_dose_does_not(measured):
    assert np.abs(measured["exact"]["leak_8"] + measured["exact"]["leak_16"]).max() < 0.01
    assert np.mean(measured["inverted"]["dose_slope"]) == pytest.approx(0.98, abs=0.02)
    assert min(measured["inverted"]["leak_16"]) > 0.3
    assert min(measured["scatter"]["leak_16"]) > 0.3
    assert measured["identity"]["leak_16"] == pytest.approx([0.0, 0.0])


def test_the_focus_of_scenes_is_the_one_told(measured):
    found = measured["exact"]["focus_error_scenes"]
    assert len(found) == 4, "all of them have a value"
    assert np.mean(found) == pytest.approx(0.004, abs=0.003)
    assert set(measured["identity"]["focus_error_scenes"]) == {"no focal plane found"}


def test_a_scene_that_wide_blur_leaves_two_bins_is_located_at_a_narrower_one():
    items = group(1)["front"]
    image, disparity = items[0]["image"].numpy(), items[0]["disparity"][0].numpy()
    sweep = Sweep(image, disparity, float(items[0]["focus"]), stack(image), 24.0, leaks=False)
    assert len(sweep.bins) == 2
    assert sweep.focus_at == 8
    for item in items[:3]:
        sweep.add(float(item["aperture"]), item["bokeh"].numpy())
    assert sweep.scores()["focus_error_scenes"] < 0.003
    assert sweep.curves()["focus_at"] == 8


def test_a_chart_is_located_and_a_wrong_focus_is_measured():
    at = pictures().items.index((-1, "0.5", 16.0))
    item, other = pictures()[at], pictures()[at + 1]
    image, disparity = item["image"].numpy(), item["disparity"][0].numpy()
    ruler = stack(image)
    found = bins(safe(image, disparity, 0.5, 16.0), disparity, ruler[1])
    places = np.array([each.disparity for each in found])
    for each, focus in ((item, 0.5), (other, 0.7)):
        plane = locate(measured_radii(each["bokeh"].numpy(), found, ruler[0]), places, 16.0)
        assert plane == pytest.approx((focus, 0), abs=0.003)
    assert locate(measured_radii(image, found, ruler[0]), places, 16.0) is None


@pytest.fixture(scope="module")
def wall():
    """A texture at one disparity, its ruler, and its one bin."""
    image = pictures()[pictures().items.index((-1, "0.5", 16.0))]["image"].numpy()
    ruler, disparity = stack(image), np.full(image.shape[1:], 0.51)
    return image, ruler, bins(safe(image, disparity, 0.0, 24.0), disparity, ruler[1])


def test_a_picture_of_the_stack_returns_its_radius(wall):
    _, (radii, blurred), found = wall
    assert len(radii) == 34
    assert np.all(np.diff(radii) > 0.05)
    for radius, picture in zip(radii[8::4], blurred[8::4], strict=True):
        assert measured_radii((picture * 255).round() / 255, found, radii) == pytest.approx([radius], abs=0.05)


def test_a_gaussian_has_1_86_of_its_deviation(wall):
    image, (radii, _), found = wall
    light = to_linear(torch.from_numpy(image)).numpy()
    for deviation in (2.0, 4.0):
        made = np.stack([gaussian_filter(each, deviation, mode="nearest") for each in light])
        output = array(to_srgb(torch.from_numpy(made)))
        assert measured_radii(output, found, radii) / deviation == pytest.approx([1.86], rel=0.02)


def test_a_flat_picture_says_that_it_has_no_texture():
    image = np.full((3, 64, 64), 128 / 255, np.float32)
    sweep = Sweep(image, np.full((64, 64), 0.5, np.float32), 0.3, stack(image), 24.0)
    for k in APERTURES:
        sweep.add(k, np.clip(image + k / 255, 0, 1))
    assert sweep.scores()["dose_slope"] == "no texture out of focus"
    told = np.array(APERTURES)
    assert dose(told, np.full((6, 0), np.nan), np.zeros(0), 0.5, 9.0)["dose_error"] == "no texture out of focus"


def test_aperture_zero_and_lvcorr_have_the_values_of_their_formulas():
    image = np.zeros((3, 8, 8))
    assert zero_psnr(image, image) == pytest.approx(58.92, abs=0.01)
    image[:, 4, 4] = 1
    assert laplacian_variance(image) == pytest.approx(255**2 * 20 / 64)
    assert lvcorr(np.array([1.0, 2, 3]), np.array([9.0, 6, 3])) == pytest.approx(1)
    assert lvcorr(np.array([1.0, 2, 3]), np.array([4.0, 4, 4])) == "constant"


def test_lamps_lose_their_light_where_encoded_values_are_blurred():
    item = pictures()[len(pictures()) - 1]
    assert item["name"] == "lamps/0.7/16"
    image, places = item["image"].numpy(), lamp_places(320).numpy()
    encoded = by_layers(item["image"][None], item["disparity"][None], item["focus"][None], item["aperture"][None])
    assert highlight_energy(item["bokeh"].numpy(), image, places, 8.0) == pytest.approx(1, abs=0.02)
    assert highlight_energy(array(encoded[0]), image, places, 8.0) == pytest.approx(0.23, abs=0.02)
