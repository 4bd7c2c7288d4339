"""EXR pictures and maps: linear light, any range, and every way in which a file can be bad."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import make_pairs, ramp, write_exr

from bokehbench.cli import main
from bokehbench.data import IPhoneDepth, Pairs
from bokehbench.data.checks import problem_of
from bokehbench.data.decoding import picture_size
from bokehbench.data.image_io import read_photo
from bokehbench.data.maps import read_map, read_values
from bokehbench.data.pixels import read_light
from bokehbench.errors import BokehbenchError
from bokehbench.optics.linear_light import to_srgb

LIGHT = np.random.default_rng(0).random((24, 32, 3)).astype(np.float32)


def said(read: object, path: Path) -> str:
    with pytest.raises(BokehbenchError) as error:
        read(path)  # type: ignore[operator]
    text = str(error.value)
    assert str(path) in text
    assert text.count("\n") == 0
    return text


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_photo_is_read_as_linear_light_and_encoded(tmp_path: Path, kind: type) -> None:
    path = write_exr(tmp_path / "a.exr", {"RGB": LIGHT.astype(kind)})
    np.testing.assert_array_equal(read_light(path), LIGHT.astype(kind).astype(np.float32))
    photo = read_photo(path)
    wanted = to_srgb(torch.from_numpy(LIGHT.astype(kind).astype(np.float32)).permute(2, 0, 1))
    assert (photo.image - wanted).abs().max() < 1 / 65535
    assert photo.notes == ("linear light of an EXR was encoded as sRGB",)
    assert picture_size(path) == (24, 32)


def test_light_above_white_is_clipped_and_said_and_what_is_below_black_is_black(tmp_path: Path) -> None:
    light = LIGHT.copy()
    light[0, 0], light[0, 1] = 7.5, -0.5
    path = write_exr(tmp_path / "a.exr", {"RGB": light})
    assert read_light(path)[0, 0, 0] == 7.5
    photo = read_photo(path)
    assert photo.image[:, 0, 0].tolist() == [1, 1, 1]
    assert photo.image[:, 0, 1].tolist() == [0, 0, 0]
    assert "light brighter than white, up to 7.5, was clipped" in photo.notes


def test_grey_alpha_and_layers(tmp_path: Path) -> None:
    grey = read_light(write_exr(tmp_path / "grey.exr", {"Y": LIGHT[..., 0]}))
    assert (grey == LIGHT[..., :1]).all()
    alpha = np.ones((24, 32), np.float32)
    alpha[0, 0] = 0
    light = LIGHT.copy()
    light[0, 0] = 0  # premultiplied, as EXR has it
    shown = read_light(write_exr(tmp_path / "rgba.exr", {"RGBA": np.dstack([light, alpha])}))
    assert (shown[0, 0] == 1).all()
    assert (shown[1:] == LIGHT[1:]).all()
    layer = {f"ViewLayer.Combined.{c}": LIGHT[..., n].copy() for n, c in enumerate("RGB")}
    assert (read_light(write_exr(tmp_path / "layer.exr", layer)) == LIGHT).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_map_keeps_its_values(tmp_path: Path, kind: type) -> None:
    depth = np.linspace(1, 65504, 24 * 32, dtype=np.float32).reshape(24, 32).astype(kind)
    path = write_exr(tmp_path / "z.exr", {"Z": depth})
    assert (read_values(path)[0].numpy() == depth.astype(np.float32)).all()
    assert read_map(path).max() == 1
    equal = write_exr(tmp_path / "rgb.exr", {"RGB": np.repeat(depth[..., None], 3, 2)})
    assert torch.equal(read_values(equal), read_values(path))
    depth[3, 3] = np.inf
    write_exr(path, {"Z": depth})
    assert read_values(path)[0, 3, 3] == torch.inf, "a data set decides what a missing value means"
    assert "has NaN or infinite values" in said(read_map, path)


def test_wrong_channels_are_named(tmp_path: Path) -> None:
    two = write_exr(tmp_path / "two.exr", {"U": LIGHT[..., 0].copy(), "V": LIGHT[..., 1].copy()})
    assert "has the channels U, V: save a photo as R, G and B" in said(read_photo, two)
    assert "U, V, which differ: save a map as a file with one channel" in said(read_map, two)
    assert "B, G, R, which differ" in said(read_map, write_exr(tmp_path / "rgb.exr", {"RGB": LIGHT}))
    normals = write_exr(tmp_path / "normals.exr", {n: LIGHT[..., c].copy() for c, n in enumerate("XYZ")})
    assert "has the channels X, Y, Z" in said(read_photo, normals)
    layers = {f"{layer}.{c}": LIGHT[..., n].copy() for layer in ("a", "b") for n, c in enumerate("RGB")}
    assert "a.B, a.G, a.R, b.B" in said(read_photo, write_exr(tmp_path / "layers.exr", layers))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_photo_with_nan_or_infinity_is_refused(tmp_path: Path, value: float) -> None:
    light = LIGHT.copy()
    light[5, 5, 1] = value
    assert "has NaN or infinite values" in said(read_photo, write_exr(tmp_path / "a.exr", {"RGB": light}))


def test_files_that_are_cut_short_are_found_by_their_headers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = write_exr(tmp_path / "whole.exr", {"RGB": LIGHT}).read_bytes()
    make_pairs(tmp_path / "pairs")
    for length in (0, 3, 8, 100, 300, len(whole) // 2, len(whole) - 1):
        path = tmp_path / "pairs" / "input" / "a.exr"
        path.write_bytes(whole[:length])
        (tmp_path / "pairs" / "input" / "a.png").unlink(missing_ok=True)
        text = said(read_photo, path)
        assert any(word in text for word in ("is empty", "corrupt or truncated", "is not a picture"))
        assert any(str(path) in problem for problem in Pairs(tmp_path / "pairs").check()), length
    assert capfd.readouterr().err == "", "the library was not asked"


def test_a_header_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    data = write_exr(tmp_path / "a.exr", {"RGB": LIGHT}).read_bytes()
    place = data.index(b"dataWindow\0box2i\0") + 21
    path = tmp_path / "huge.exr"
    for window in ((0, 0, 99_999, 99_999), (-(2**31), -(2**31), 2**31 - 1, 2**31 - 1)):
        path.write_bytes(data[:place] + struct.pack("<4i", *window) + data[place + 16 :])
        for read in (picture_size, read_photo, read_map):
            said(read, path)
    path.write_bytes(data[:place] + struct.pack("<4i", 9, 9, 0, 0) + data[place + 16 :])
    assert "no pixels" in said(read_photo, path)
    long = data.index(b"compression\0compression\0") + 24
    path.write_bytes(data[:long] + struct.pack("<I", 2**32 - 1) + data[long + 4 :])
    assert "its header is broken" in said(read_photo, path)


def test_bytes_changed_at_random_never_end_in_a_stack_trace(tmp_path: Path) -> None:
    data = write_exr(tmp_path / "a.exr", {"RGB": LIGHT}).read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / "bad.exr"
    for _ in range(150):
        changed = bytearray(data)
        for place in rng.integers(4, 700, 3):
            changed[place] = rng.integers(256)
        path.write_bytes(bytes(changed))
        for read in (picture_size, read_photo, read_map):
            assert all(str(path) in problem for problem in problem_of(read, path))


def test_data_sets_read_exr(tmp_path: Path) -> None:
    for number, name in enumerate("ab"):
        write_exr(tmp_path / "images" / f"{name}.exr", {"RGB": LIGHT * (1 - 0.1 * number)})
        write_exr(tmp_path / "depth" / f"{name}.exr", {"Z": ramp().astype(np.float16)})
    data = IPhoneDepth(tmp_path, renderer="layered", num_workers=0)
    assert data.check(deep=True) == []
    item = data.pictures("test")[0]  # type: ignore[index]
    assert item["disparity"][0, 0, 0] == 1, "depth of 20 at the left is nearest"


def test_a_photo_of_linear_light_is_rendered(tmp_path: Path) -> None:
    photo = write_exr(tmp_path / "a.exr", {"RGB": LIGHT})
    near = write_exr(tmp_path / "near.exr", {"Y": ramp().astype(np.float32)})
    words = ["--model", "layered", "--disparity", str(near), "-o", str(tmp_path / "out.png"), "--device", "cpu"]
    assert main(["render", str(photo), *words]) == 0
    assert picture_size(tmp_path / "out.png") == (24, 32)


def test_without_the_package_a_sentence_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_exr(tmp_path / "a.exr", {"RGB": LIGHT})
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    for read in (read_photo, read_map):
        with pytest.raises(BokehbenchError, match=r'pip install "bokehbench\[exr\]"'):
            read(path)
