"""Photos rendered at an f-number: with a camera and a metric map, or with one calibrated number."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from made_depth_network import tiny_dpt, tiny_metric
from makers import picture, ramp, save
from PIL import ExifTags, Image, TiffImagePlugin

import bokehbench as bb
from bokehbench.cli import main
from bokehbench.data.f_number import FNumber
from bokehbench.data.image_io import read_rgb
from bokehbench.errors import BokehbenchError
from bokehbench.optics import Camera, Span

SIZE = (48, 72)
Tag = ExifTags.Base
#: 0.4 m at the right, 20 m at the left, linear in 1/m; smaller than the photo, as the maps of phones are.
METRIC = np.tile(np.linspace(1 / 20, 1 / 0.4, SIZE[1] // 2, dtype=np.float32), (SIZE[0] // 2, 1))
SPAN = Span(1 / 20, 1 / 0.4)
#: 2 m on the stretched scale.
FOCUS = SPAN.stretched(1 / 2)


def exif(**numbers: float) -> Image.Exif:
    block = Image.Exif()
    inner = block.get_ifd(ExifTags.IFD.Exif)
    for name, value in numbers.items():
        inner[Tag[name]] = value if isinstance(value, int) else TiffImagePlugin.IFDRational(round(value * 1000), 1000)
    return block


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.jpg", picture(1, SIZE), exif=exif(FocalLength=50.0, FocalLengthIn35mmFilm=75))


@pytest.fixture
def maps(tmp_path: Path) -> dict[str, Path]:
    """The same scene as 1/m, as m, as mm in 16 bits, and as who knows what."""
    for name, values in (("d", METRIC), ("z", 1 / METRIC)):
        np.save(tmp_path / f"{name}.npy", values)
    save(tmp_path / "mm.png", (1000 / METRIC).round().astype(np.uint16))
    save(tmp_path / "relative.png", ramp(SIZE))
    return {"1/m": tmp_path / "d.npy", "m": tmp_path / "z.npy", "mm": tmp_path / "mm.png"}


def render(photo: Path, *more: object) -> int:
    words = ["render", photo, "--model", "layered", "-o", photo.with_name("out.png"), "--focus", FOCUS, *more]
    return main([str(word) for word in words])


def aperture_of(printed: str) -> float:
    return float(re.search(r"aperture ([\d.]+) px", printed)[1])  # type: ignore[index]


@pytest.mark.parametrize("unit", ["1/m", "m", "mm"])
def test_camera_from_exif_and_a_metric_map_are_enough(photo, maps, capsys, unit) -> None:
    assert render(photo, "--f-number", 2, "--disparity", maps[unit], "--disparity-unit", unit) == 0
    printed = capsys.readouterr().out
    wanted = SPAN.aperture(Camera.of_35mm(50, 75, 72, 48).metric_k(2, 1 / 2, 72))
    assert aperture_of(printed) == pytest.approx(wanted, abs=0.06)
    assert "f/2, 50 mm lens, sensor 24.0 mm wide, focus at 2 m" in printed
    at_f2 = Image.open(photo.with_name("out.png")).tobytes()
    assert render(photo, "--aperture", wanted, "--disparity", maps[unit], "--disparity-unit", unit) == 0
    difference = np.frombuffer(Image.open(photo.with_name("out.png")).tobytes(), np.uint8) - np.frombuffer(
        at_f2, np.uint8
    ).astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    ("numbers", "given", "sensor"),
    [
        ({"FocalLength": 5.7, "FocalLengthIn35mmFilm": 26}, {}, 43.267 / 26 * 5.7 * 72 / np.hypot(72, 48)),
        ({"FocalLength": 50.0, "FocalPlaneXResolution": 30.0, "ExifImageWidth": 72, "ExifImageHeight": 48},
         {}, 72 / 30 * 25.4),
        ({"FocalLength": 50.0, "FocalPlaneXResolution": 30.0, "FocalPlaneResolutionUnit": 3, "ExifImageWidth": 72},
         {}, 24.0),
        ({"FocalLength": 50.0, "FocalLengthIn35mmFilm": 75}, {"sensor_width": 23.5}, 23.5),
        ({"FocalLength": 50.0, "FocalLengthIn35mmFilm": 75}, {"focal_length": 35.0}, 24.0),
        ({}, {"focal_length": 35.0, "sensor_width": 36.0}, 36.0),
        # equal focal lengths are doubtful: the other way counts where there is one
        ({"FocalLength": 5.7, "FocalLengthIn35mmFilm": 6, "FocalPlaneXResolution": 100.0,
          "FocalPlaneResolutionUnit": 4, "ExifImageWidth": 72}, {}, 43.267 / 6 * 5.7 * 72 / np.hypot(72, 48)),
        ({"FocalLength": 6.0, "FocalLengthIn35mmFilm": 6, "FocalPlaneXResolution": 100.0,
          "FocalPlaneResolutionUnit": 4, "ExifImageWidth": 72}, {}, 0.72),
    ],
)  # fmt: skip
def test_lens_and_sensor_are_found_in_exif_or_given(tmp_path, numbers, given, sensor) -> None:
    path = save(tmp_path / "photo.jpg", picture(1, SIZE), exif=exif(**numbers))
    camera = FNumber(2.0, **given).camera(path, *SIZE)
    assert camera.sensor_width == pytest.approx(sensor, rel=1e-3)
    assert camera.focal_length == given.get("focal_length", numbers.get("FocalLength"))
    with Image.open(path) as opened:
        assert FNumber(2.0, **given).camera(opened, *SIZE) == camera


def test_a_relative_map_needs_one_number(photo, maps, capsys) -> None:
    relative = photo.with_name("relative.png")  # its values span 200 of 255
    assert render(photo, "--f-number", 2, "--disparity", relative) == 2
    said = capsys.readouterr().err
    assert "--aperture-at-f1" in said
    assert "data fit-aperture" in said
    assert said.count(". ") == 0
    assert render(photo, "--f-number", 2, "--disparity", relative, "--aperture-at-f1", 80) == 0
    printed = capsys.readouterr().out
    assert aperture_of(printed) == pytest.approx(80 / 2 * SIZE[0] / 1024 * 255 / 200, abs=0.06)
    assert "f/2, 80 px at f/1" in printed


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--f-number", 2, "--aperture", 10], "--aperture and --f-number say the same"),
        (["--f-number", 0], "f-number 0.0: give a number above 0"),
        (["--focal-length", 50], "--focal-length says what an f-number means"),
        (["--f-number", 2, "--aperture-at-f1", 9, "--sensor-width", 36], "Give either aperture at f1, or"),
        (["--f-number", 2, "--disparity-unit", "m"], "none was given"),
        (["--f-number", 2, "--disparity", "relative.png", "--disparity-unit", "1/m"], "relative.png: holds whole"),
        (["--f-number", 2, "--disparity", "z.npy", "--disparity-unit", "mm"], "impossible for a lens of 50 mm"),
        (["--f-number", 2, "--disparity", "z.npy", "--disparity-unit", "m", "--focus", "500,1"], "outside the photo"),
    ],
)
def test_what_contradicts_itself_is_one_sentence(photo, maps, capsys, monkeypatch, more, sentence) -> None:
    monkeypatch.chdir(photo.parent)
    assert render(photo, *more) == 2
    assert sentence in capsys.readouterr().err
    assert not photo.with_name("out.png").exists()


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({}, "no focal length: give it with --focal-length MM"),
        ({"FocalLength": 50.0, "FocalLengthIn35mmFilm": 0}, "--sensor-width MM"),
        ({"FocalLength": 50.0, "FocalPlaneXResolution": 30.0, "ExifImageWidth": 6000}, "--sensor-width MM"),
    ],
)
def test_a_photo_that_does_not_know_its_camera_says_what_is_missing(tmp_path, maps, numbers, sentence) -> None:
    path = save(tmp_path / "photo.jpg", picture(1, SIZE), exif=exif(**numbers))
    with pytest.raises(BokehbenchError, match=sentence):
        bb.load("layered")(path, f_number=2.0, disparity=maps["m"], disparity_unit="m")


def test_python_does_the_same_as_the_command_line(photo, maps, capsys) -> None:
    words = ["--f-number", 2.8, "--sensor-width", 36, "--disparity", maps["m"], "--disparity-unit", "m"]
    assert render(photo, *words) == 0
    model = bb.load("layered")
    wide = FNumber(2.8, sensor_width=36)
    bokeh = model(photo, focus=FOCUS, f_number=wide, disparity=1 / METRIC, disparity_unit="m")
    assert bokeh.aperture == pytest.approx(aperture_of(capsys.readouterr().out), abs=0.06)
    opened = model.open(photo, disparity=1 / METRIC, disparity_unit="m")
    near, far = (opened.refocus(focus=focus, f_number=wide).aperture for focus in (1.0, 0.0))
    assert near > bokeh.aperture > far  # K grows as the lens is focused nearer
    with pytest.raises(BokehbenchError, match="give one of them"):
        opened.refocus(aperture=3, f_number=2.0)


def test_a_network_that_predicts_meters_is_a_metric_map(photo, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BOKEHBENCH_CACHE", str(tmp_path / "cache"))
    model = bb.load("layered", depth=f"transformers:{tiny_metric(tmp_path / 'network')}")
    bokeh = model(photo, f_number=2.0, focus=0.5)
    metric = model.depth.measured(read_rgb(photo)[None])
    stretched = metric.stretched()
    assert np.abs(stretched.values[0].numpy() - bokeh.disparity).max() < 1e-4  # the map of the rendering, in 16 bits
    span = stretched.span
    assert span.low >= 1 / 20
    wanted = span.aperture(Camera.of_35mm(50, 75, 72, 48).metric_k(2, span.metric(0.5), 72))
    assert bokeh.aperture == pytest.approx(wanted, rel=1e-5)
    relative = bb.load("layered", depth=f"transformers:{tiny_dpt(tmp_path / 'relative')}")
    with pytest.raises(BokehbenchError, match="--aperture-at-f1"):
        relative(photo, f_number=2.0)
    assert relative(photo, f_number=FNumber(2.0, aperture_at_f1=80)).aperture == pytest.approx(80 / 2 * 48 / 1024)
