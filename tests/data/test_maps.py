"""One reader for maps: bits, orientation, shape and range, whoever asks for the map."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import make_pairs, make_rgbd, picture, ramp, save
from PIL import Image

import bokehbench as bb
from bokehbench.cli import main
from bokehbench.data.decoding import ORIENTATION_TAG
from bokehbench.data.iphone_depth import IPhoneDepth
from bokehbench.data.maps import open_map, read_map, read_values
from bokehbench.data.pairs import Pairs
from bokehbench.depth import FolderDepth
from bokehbench.errors import BokehbenchError

#: 24 x 32 numbers that 8 bits cannot tell apart.
DEEP = (np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80 + 37).astype(np.uint16)
SIZE = (24, 32)


def png(path: Path, channels: int) -> Path:
    """A PNG of 16 bits: grey, grey and alpha, or equal colours with or without alpha."""
    alpha = np.full_like(DEEP, 65535)
    planes = {1: [DEEP], 2: [DEEP, alpha], 3: [DEEP] * 3, 4: [DEEP] * 3 + [alpha]}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in np.stack(planes, axis=2))
    head = struct.pack(">IIBBBBB", 32, 24, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def tiff(path: Path, order: str) -> Path:
    """A TIFF of three equal channels of 16 bits, which Pillow does not write: header, one strip, directory."""
    pixels = np.repeat(DEEP[..., None], 3, axis=2).astype(f"{order}u2").tobytes()
    strip, tags = 8 + 6, [
        (256, 4, 1, 32), (257, 4, 1, 24), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 14),
        (277, 3, 1, 3), (278, 4, 1, 24), (279, 4, 1, len(pixels)),
    ]  # fmt: skip
    head = struct.pack(f"{order}2sHI3H", b"II" if order == "<" else b"MM", 42, strip + len(pixels), 16, 16, 16)
    body = struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        small = struct.pack(f"{order}HH", value, 0) if kind == 3 and count == 1 else struct.pack(f"{order}I", value)
        body += struct.pack(f"{order}HHI", tag, kind, count) + small
    path.write_bytes(head + pixels + body + bytes(4))
    return path


def pgm(path: Path) -> Path:
    path.write_bytes(b"P5 32 24 65535\n" + DEEP.astype(">u2").tobytes())
    return path


def npy(path: Path) -> Path:
    np.save(path, DEEP)
    return path


KINDS: dict[str, Callable[[Path], Path]] = {
    **{f"png of {n} channels": lambda folder, n=n: png(folder / "a.png", n) for n in (1, 2, 3, 4)},
    **{f"tiff {order}": lambda folder, order=order: tiff(folder / "a.tif", order) for order in "<>"},
    "pgm": lambda folder: pgm(folder / "a.pgm"),
    "npy": lambda folder: npy(folder / "a.npy"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_reader_keeps_16_bits(tmp_path: Path, kind: str) -> None:
    save(tmp_path / "photo" / "a.png", picture(0))
    (tmp_path / "maps").mkdir()
    path = KINDS[kind](tmp_path / "maps")
    assert np.array_equal(read_values(path)[0], DEEP)
    assert np.array_equal(np.rint(read_map(path)[0].numpy().astype(np.float64) * 65535), DEEP)
    stretched = (DEEP - DEEP.min()) / np.float64(np.ptp(DEEP))
    found = FolderDepth(path.parent).disparity(torch.zeros(1, 3, *SIZE), ["a"])[0, 0]
    assert np.abs(found.numpy() - stretched).max() < 1e-6
    assert (
        np.abs(bb.load("layered")(tmp_path / "photo" / "a.png", disparity=path).disparity - DEEP / 65535).max() < 1e-6
    )


@pytest.mark.parametrize("kind", ["disparity", "mask"])
def test_data_sets_keep_16_bits(tmp_path: Path, kind: str) -> None:
    make_pairs(tmp_path, ["a"], disparity=True, mask=True)
    (tmp_path / kind / "a.png").unlink()
    png(tmp_path / kind / "a.png", 3)
    item = Pairs(tmp_path, num_workers=0).pictures("test")[0]  # type: ignore[index]
    assert len(item[kind].unique()) == DEEP.size


def turned(path: Path, pixels: np.ndarray, orientation: int) -> Path:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return save(path, pixels, exif=exif)


#: (orientation of the photo, of the map or 0: it is stored upright, how it must be read).
TURNS = [(6, 6), (8, 8), (6, 0), (8, 0), (6, None), (8, None), (5, None), (7, None), (1, 1)]


@pytest.mark.parametrize(("photo_turn", "map_turn"), TURNS)
def test_photo_and_map_are_each_turned_as_their_exif_says(
    tmp_path: Path, photo_turn: int, map_turn: int | None
) -> None:
    """``None``: the map has the sensor's orientation and no EXIF; it is turned like the photo, and that is said."""
    photo = turned(tmp_path / "in" / "a.png", picture(0), photo_turn)
    stored = ramp()
    upright = np.asarray(_upright(stored, photo_turn))
    if map_turn:
        path = turned(tmp_path / "maps" / "a.png", stored, map_turn)
    else:
        path = save(tmp_path / "maps" / "a.png", stored if map_turn is None else np.ascontiguousarray(upright))
    for given in (path, Image.open(path)):
        result = bb.load("layered")(photo, disparity=given)
        assert np.array_equal(np.rint(result.disparity * 255), upright)
        assert ("turned as the photo's EXIF says" in result.note) == (map_turn is None)


def _upright(pixels: np.ndarray, orientation: int) -> Image.Image:
    from PIL import ImageOps

    image = Image.fromarray(pixels)
    image.getexif()[ORIENTATION_TAG] = orientation
    return ImageOps.exif_transpose(image)


def test_data_sets_turn_a_map_in_the_sensors_orientation_and_say_it(tmp_path: Path, capsys) -> None:
    make_rgbd(tmp_path, ["a", "b"])
    for name in "ab":
        turned(tmp_path / "images" / f"{name}.jpg", picture(1), 6)
    words = ["--data", "iphonedepth", "--data.root", str(tmp_path), "--data.train_fraction", "0"]
    assert main(["data", "check", "--deep", *words]) == 0
    assert "note: the maps of b are turned as their photos' EXIF says" in capsys.readouterr().out
    item = IPhoneDepth(tmp_path, num_workers=0, train_fraction=0.0).pictures("test")[0]  # type: ignore[index]
    assert item["disparity"].shape == (1, 32, 24)
    assert item["disparity"][0, -1, 5] == 1  # what is right in the sensor is below in the photo


@pytest.mark.parametrize("reader", ["render", "folder", "python", "pairs", "rgbd", "score"])
@pytest.mark.parametrize("shape", [(32, 24), (24, 24), (24, 40)])
def test_a_map_of_another_shape_is_one_sentence_everywhere(tmp_path: Path, capsys, reader: str, shape) -> None:
    photo = save(tmp_path / "photo" / "a.png", picture(0))
    path = save(tmp_path / "maps" / "a.png", ramp(shape))
    if reader in ("render", "folder"):
        given = ["--disparity", str(path)] if reader == "render" else ["--depth", f"folder:{path.parent}"]
        assert main(["render", str(photo), "--model", "layered", *given, "-o", str(tmp_path / "out.png")]) == 2
        said = capsys.readouterr().err
    elif reader == "score":
        save(tmp_path / "out" / "a.png", picture(1))
        words = ["score", str(tmp_path / "out"), "--targets", str(photo.parent), "--mask", str(path.parent)]
        assert main([*words, "--workers", "1"]) == 2
        said = capsys.readouterr().err
    elif reader == "python":
        with pytest.raises(BokehbenchError) as refused:
            bb.load("layered")(photo, disparity=ramp(shape))
        said = str(refused.value)
    else:
        root = (
            make_pairs(tmp_path / "set", ["a"], disparity=True)
            if reader == "pairs"
            else make_rgbd(tmp_path / "set", "a")
        )
        save(root / ("disparity" if reader == "pairs" else "depth") / "a.png", ramp(shape))
        data = {"pairs": Pairs, "rgbd": IPhoneDepth}[reader](root, num_workers=0)
        said, deep = " ".join(data.check()), " ".join(data.check(deep=True))
        assert said == deep
    assert f"of {shape[1]} x {shape[0]} does not fit" in said
    assert "of 32 x 24, it is of another shape: give a map of the same picture" in said


@pytest.mark.parametrize("values", [(-3.0, 12.0), (0.0, 255.0), (800.0, 9800.0), (-1e30, 1e30)])
@pytest.mark.parametrize("suffix", [".pfm", ".tif", ".npy", "array", "tensor"])
def test_disparity_of_any_range_is_stretched_with_a_note(tmp_path: Path, values, suffix: str) -> None:
    raw = np.tile(np.linspace(*values, 32, dtype=np.float32), (24, 1))
    given = {"array": raw, "tensor": torch.from_numpy(raw)}.get(suffix, tmp_path / f"map{suffix}")
    if suffix == ".npy":
        np.save(given, raw)
    elif isinstance(given, Path):
        Image.fromarray(raw).save(given)
    result = bb.load("layered")(picture(0), disparity=given)
    assert np.abs(result.disparity - np.linspace(0, 1, 32)).max() < 1e-6
    assert "was stretched to 0 to 1, larger = nearer" in result.note


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_map_with_a_hole_is_named(tmp_path: Path, bad: float) -> None:
    values = ramp().astype(np.float32) / 255
    values[3, 3] = bad
    np.save(tmp_path / "hole.npy", values)
    for given, name in ((tmp_path / "hole.npy", r"hole\.npy"), (values, "The disparity map")):
        with pytest.raises(BokehbenchError, match=f"{name}: has NaN or infinite values"):
            bb.load("layered")(picture(0), disparity=given)


@pytest.mark.parametrize(("invalid", "far"), [("auto", 5), (None, 5), (0.0, 9), (-1.0, 5)])
def test_invalid_is_obeyed_for_disparity(tmp_path: Path, invalid, far: int) -> None:
    """A marked value counts as farthest, and no longer as the end of the range."""
    make_rgbd(tmp_path, ["a"])
    values = np.tile(np.linspace(10, 20, 32, dtype=np.float32), (24, 1))
    values[2, 2] = 0
    (tmp_path / "depth" / "a.png").unlink()
    np.save(tmp_path / "depth" / "a.npy", values)
    data = IPhoneDepth(tmp_path, num_workers=0, depth_kind="disparity", invalid=invalid, train_fraction=0.0)
    disparity = data.pictures("test")[0]["disparity"][0]  # type: ignore[index]
    assert disparity[2, 2] == 0
    assert disparity[5, 0] == pytest.approx(0 if far == 9 else 0.5)
    assert data.settings().get("invalid") == (None if invalid == "auto" else invalid)
    assert IPhoneDepth(tmp_path).settings()["invalid"] == 0.0


def test_notes_say_nothing_of_an_ordinary_map(tmp_path: Path) -> None:
    assert open_map(save(tmp_path / "a.png", ramp()), SIZE, tmp_path / "a.png")[1] == ()
