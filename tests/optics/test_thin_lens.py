"""The numbers of docs/control_units.md, each to 0.1 %, and that every conversion leads back."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bokehbench.errors import BokehbenchError
from bokehbench.optics import Camera, Disparity, Span, aperture_at, blur, circle_of_confusion, disk

CLOSE = 1e-3
PROPERTY = settings(deadline=None, max_examples=50)
EBB_LIKE = Camera(50, 22.3)
LENGTHS = st.floats(1, 600)
SENSORS = st.floats(3, 60)
SIDES = st.integers(64, 10_000)
F_NUMBERS = st.floats(0.7, 64)
#: 1/m: infinity to 1 m; the longest lens above is sharp from 0.6 m.
FOCUS = st.floats(0, 1)


def close(value: float) -> object:
    return pytest.approx(value, rel=CLOSE)


def radius(metric_k: float, disparity: float, focus: float) -> float:
    return float(circle_of_confusion(torch.full((1, 1, 1, 1), float(disparity)), focus, metric_k))


def test_a_picture_like_those_of_ebb() -> None:
    assert EBB_LIKE.pixels_per_mm(1536) == close(68.879)
    k = EBB_LIKE.metric_k(1.8, 1 / 2, 1536)
    assert k == close(49.059)
    assert radius(k, 0, 1 / 2) == close(24.530)
    assert radius(k, 1 / 4, 1 / 2) == close(12.265)
    diameter = 2 * 12.265 / EBB_LIKE.pixels_per_mm(1536)
    assert diameter == close(0.35613)
    assert diameter == close((50 / 1.8) * 50 * abs(4000 - 2000) / (4000 * (2000 - 50)))  # the formula of textbooks


def test_a_narrow_aperture_is_not_all_in_focus() -> None:
    k = EBB_LIKE.metric_k(16, 1 / 2, 1536)
    assert k == close(5.5191)
    assert radius(k, 0, 1 / 2) == close(2.760)


@pytest.mark.parametrize(
    ("far", "aperture", "focus"), [(math.inf, 32.706, 0.75), (20.0, 30.253, 0.72973)], ids=["infinity", "20 m"]
)
def test_the_aperture_depends_on_what_the_picture_spans(far, aperture, focus) -> None:
    span = Span(1 / far, 1 / 1.5)
    assert span.aperture(EBB_LIKE.metric_k(1.8, 1 / 2, 1536)) == close(aperture)
    assert span.stretched(1 / 2) == close(focus)


@pytest.mark.parametrize(("f_number", "k"), [(2, 81.525), (4, 40.762), (22, 7.411)])
def test_a_scene_of_realbokeh(f_number, k) -> None:
    assert Camera(70, 24).metric_k(f_number, 1 / 1.15, 1500) == close(k)


@pytest.mark.parametrize(("f_number", "share"), [(2.8, 0.714), (4, 0.5), (8, 0.25), (22, 0.0909)])
def test_apertures_are_as_the_f_numbers(f_number, share) -> None:
    assert aperture_at(f_number, 1, 2) == pytest.approx(share, abs=5e-4)
    ratio = EBB_LIKE.metric_k(f_number, 0.4, 1000) / EBB_LIKE.metric_k(2, 0.4, 1000)
    assert ratio == pytest.approx(aperture_at(f_number, 1, 2))


def test_a_phone_by_the_diagonal_rule() -> None:
    phone = Camera.of_35mm(5.7, 26, 4032, 3024)
    assert phone.pixels_per_mm(4032) * 5.7 == close(3028.66)
    k = phone.metric_k(1.5, 2.799, 4032)
    assert k == close(5.8478)
    assert Span(1.498046875, 4.3828125).aperture(k) == close(16.869)


def test_the_edge_width_of_a_disk() -> None:
    edge = torch.zeros(1, 1, 401, 801)
    edge[..., 400:] = 1
    row = blur(edge, disk(100.0))[0, 0, 200, 250:550]  # away from the border
    width = int((row < 0.9).sum()) - int((row < 0.1).sum())
    assert width / 200 == pytest.approx(0.687, abs=0.006)  # whole pixels


@PROPERTY
@given(LENGTHS, SENSORS, SIDES, F_NUMBERS, FOCUS)
def test_f_number_to_k_and_back(focal, sensor, side, f_number, focus) -> None:
    camera = Camera(focal, sensor)
    assert camera.f_number(camera.metric_k(f_number, focus, side), focus, side) == pytest.approx(f_number)


@PROPERTY
@given(st.floats(0, 5), st.floats(0.01, 10), st.floats(0, 20), st.floats(0, 500))
def test_k_and_focus_to_the_stretched_scale_and_back(low, width, disparity, k) -> None:
    span = Span(low, low + width)
    assert span.metric_k(span.aperture(k)) == pytest.approx(k)
    assert span.metric(span.stretched(disparity)) == pytest.approx(disparity, abs=1e-6)
    blurred = span.aperture(k) * abs(span.stretched(disparity) - span.stretched(low))
    assert blurred == pytest.approx(k * abs(disparity - low), abs=1e-3)


@PROPERTY
@given(LENGTHS, SENSORS, SIDES, F_NUMBERS, FOCUS, st.floats(0.1, 4))
def test_resizing_scales_k_and_cropping_does_not(focal, sensor, side, f_number, focus, factor) -> None:
    camera = Camera(focal, sensor)
    k = camera.metric_k(f_number, focus, side)
    assert camera.metric_k(f_number, focus, side * factor) == pytest.approx(k * factor)
    assert camera.cropped(factor).metric_k(f_number, focus, side * factor) == pytest.approx(k)


@PROPERTY
@given(LENGTHS, st.floats(1, 8), SIDES, SIDES)
def test_both_ways_to_hold_a_camera_are_one(focal, crop_factor, width, height) -> None:
    one, other = (Camera.of_35mm(focal, focal * crop_factor, *size) for size in ((width, height), (height, width)))
    assert one == other
    diagonal = one.sensor_width * math.hypot(width, height) / max(width, height)
    assert diagonal == pytest.approx(math.hypot(36, 24) / crop_factor)


@PROPERTY
@given(st.lists(st.floats(0.2, 90), min_size=2, max_size=12), st.sampled_from([("m", 1), ("mm", 1000)]))
def test_a_depth_map_to_metric_to_stretched_and_back(depths, unit) -> None:
    depth = torch.tensor(depths).reshape(1, 1, -1)
    metric = Disparity.measured(depth * unit[1], unit[0])
    torch.testing.assert_close(metric.values, 1 / depth)
    stretched = metric.stretched()
    assert stretched.kind == "stretched"
    assert stretched.values.min() >= 0
    assert stretched.values.max() <= 1
    torch.testing.assert_close(stretched.metric().values, metric.values, rtol=1e-4, atol=1e-5)


def test_missing_values_become_the_farthest() -> None:
    nan, inf = math.nan, math.inf
    depth = Disparity.measured(torch.tensor([[[1.0, 4.0, 0.0, nan, -1.0]]]), "m")
    torch.testing.assert_close(depth.values, torch.tensor([[[1.0, 0.25, 0.25, 0.25, 0.25]]]))
    assert Disparity.measured(torch.tensor([[[1.0, inf]]]), "m").values.tolist() == [[[1.0, 0.0]]]
    given = Disparity.measured(torch.tensor([[[3.0, nan, 0.5]]]), "1/m")
    assert given.values.tolist() == [[[3.0, 0.5, 0.5]]]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Disparity(torch.rand(1, 2, 2), "relative").metric(), "relative disparity map has no scale in 1/m"),
        (lambda: Disparity(torch.rand(1, 2, 2), "relative").stretched().metric(), "no scale in 1/m"),
        (lambda: Disparity.measured(torch.tensor([[[-1.0, 2.0]]]), "1/m"), "values below 0"),
        (lambda: Disparity.measured(torch.zeros(1, 2, 2), "mm"), "no pixel of the map"),
        (lambda: Disparity.measured(torch.ones(1, 2, 2), "cm"), "'cm' is no unit"),
        (lambda: Camera(0, 36), "focal length 0"),
        (lambda: Camera(50, math.nan), "sensor width nan"),
        (lambda: EBB_LIKE.metric_k(0, 0.5, 100), "f-number 0"),
        (lambda: EBB_LIKE.metric_k(2, 25, 100), "impossible for a lens of 50 mm"),
        (lambda: EBB_LIKE.metric_k(2, -0.1, 100), "impossible"),
        (lambda: Span(1, 1).stretched(1.0), "flat map"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(call, sentence) -> None:
    with pytest.raises(BokehbenchError, match=sentence):
        call()
