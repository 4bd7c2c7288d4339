"""``bokehbench data import-phone``: each kind of file, originals and renderings, splits, what is there already."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from makers import picture
from methods import options
from phone_files import (
    SIZE,
    apple_codes,
    apple_jpeg,
    apple_xmp,
    dynamic_depth_jpeg,
    encoded,
    exif,
    gdepth_jpeg,
    gdepth_linear_jpeg,
    heic,
    scene,
    write,
)
from PIL import Image, ImageOps

from bokehbench.cli import main as bokehbench
from bokehbench.commands.data import main
from bokehbench.data.decoding import upright
from bokehbench.data.iphone_depth import IPhoneDepth
from bokehbench.errors import BokehbenchError
from bokehbench.preparation.phone.phone_file import read_depth, read_header
from bokehbench.preparation.phone.split_lists import extend_lists

SHARP, BLURRED, METRES = scene()


def run(folder: Path, root: Path, *words: str) -> int:
    return main(["data", "import-phone", str(folder), "-o", str(root), "--workers", "2", *words])


def table(root: Path) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in csv.DictReader((root / "import.csv").read_text().splitlines())}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def like(path: Path, wanted: np.ndarray) -> bool:
    found = pixels(path)
    return found.shape == wanted.shape and float(np.abs(found - wanted).mean()) < 3


def test_jpegs_of_every_kind_give_disparity_in_their_own_scale_as_the_photo_is_turned(tmp_path: Path) -> None:
    photos = {
        "apple.jpg": apple_jpeg(SHARP, METRES, turn=6, rendered=0),
        "inverse.jpg": gdepth_jpeg(BLURRED, METRES, SHARP, turn=8),
        "linear.jpg": gdepth_linear_jpeg(SHARP, METRES, turn=3),
        "dynamic.jpg": dynamic_depth_jpeg(BLURRED, METRES, SHARP),
        "unnamed.jpg": gdepth_jpeg(BLURRED, METRES, None, units=""),
    }
    assert run(write(tmp_path / "in", photos), tmp_path / "out") == 0
    rows, turns = table(tmp_path / "out"), {"apple": 6, "inverse": 8, "linear": 3, "dynamic": 1, "unnamed": 1}
    for name, turn in turns.items():
        found = np.load(tmp_path / "out" / "depth" / f"{name}.npy")
        np.testing.assert_allclose(found, upright(1 / METRES, turn), atol=0.01)
        shown = BLURRED if name == "unnamed" else SHARP
        assert like(tmp_path / "out" / "images" / f"{name}.jpg", upright(shown, turn)), name
        assert float(rows[name]["d_max"]) == pytest.approx(2, abs=0.01)
    assert like(tmp_path / "out" / "rendered" / "inverse.jpg", upright(BLURRED, 8))
    assert like(tmp_path / "out" / "rendered" / "dynamic.jpg", BLURRED)
    assert {row["rendered"] for name, row in rows.items() if name in ("inverse", "dynamic")} == {"yes"}
    assert (rows["unnamed"]["unit"], rows["unnamed"]["accuracy"]) == ("1/unit", "relative")
    assert (rows["linear"]["unit"], rows["linear"]["accuracy"]) == ("1/m", "absolute")
    assert rows["apple"]["kind"] == "disparity"
    assert (rows["apple"]["f_number"], rows["apple"]["focal_mm"], rows["apple"]["focal_35mm"]) == ("1.8", "5.7", "26.0")
    matte = pixels(tmp_path / "out" / "masks" / "apple.png")
    assert np.array_equal(matte > 0, upright(METRES < 1, 6))
    assert IPhoneDepth(tmp_path / "out", depth_kind="disparity").check(deep=True) == []


def test_heic_comes_upright_with_its_map_its_accuracy_and_no_place(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    photo, metres = np.kron(SHARP, np.ones((2, 2, 1), np.uint8)), np.kron(METRES, np.ones((4, 4)))
    made = heic(photo, apple_codes(metres), apple_xmp(accuracy="relative"), turns=3, turn=6, gps=True)
    wrong = heic(photo, apple_codes(metres), apple_xmp(), turns=3, depth_turns=0)
    folder = write(tmp_path / "in", {"IMG_1.HEIC": made})
    assert run(folder, tmp_path / "out") == 0
    np.testing.assert_allclose(np.load(tmp_path / "out" / "depth" / "IMG_1.npy"), upright(1 / metres, 6), atol=0.01)
    assert like(tmp_path / "out" / "images" / "IMG_1.jpg", upright(photo, 6))
    assert table(tmp_path / "out")["IMG_1"]["accuracy"] == "relative"
    write(folder, {"turned.heic": wrong})
    with pytest.raises(
        BokehbenchError, match=r"turned\.heic: its depth map of 128 x 96 does not fit its photo of 96 x 128"
    ):
        read_depth(read_header(folder / "turned.heic"))


def test_without_the_extra_heic_is_listed_and_jpeg_works(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    files = {"a.heic": b"\0\0\0\x18ftypheic" + bytes(20), "b.jpg": apple_jpeg(SHARP, METRES)}
    assert run(write(tmp_path / "in", files), tmp_path / "out") == 1
    assert 'a.heic: HEIC is read with pillow-heif: pip install "bokehbench[phone]".' in capsys.readouterr().out
    assert list(table(tmp_path / "out")) == ["b"]


def test_nothing_personal_is_in_what_is_written(tmp_path: Path) -> None:
    photo = apple_jpeg(SHARP, METRES, gps=True, time="12:00:00", rendered=0)
    assert Image.open(io.BytesIO(photo)).getexif().get_ifd(0x8825)
    run(write(tmp_path / "in", {"a.jpg": photo}), tmp_path / "out")
    with Image.open(tmp_path / "out" / "images" / "a.jpg") as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for path in (tmp_path / "out").rglob("*.*"):
        assert b"2026:05:01" not in path.read_bytes(), path


def test_the_phones_own_blur_is_no_photo_unless_somebody_says_so(tmp_path: Path, capsys) -> None:
    folder = write(tmp_path / "in", {"IMG_1.jpg": apple_jpeg(BLURRED, METRES, rendered=8)})
    assert run(folder, tmp_path / "out") == 1
    assert (
        "IMG_1.jpg: has only the phone's blurred rendering: export the unmodified original" in capsys.readouterr().out
    )
    assert not (tmp_path / "out" / "images").exists()
    assert run(folder, tmp_path / "out", "--allow-rendered") == 0
    assert table(tmp_path / "out")["IMG_1"]["photo"] == "blurred rendering"


@pytest.mark.parametrize(
    ("original", "when"), [("IMG_0001.png", ""), ("other.jpg", "12:00:01.250"), ("IMG_0001.jpg", "12:00:01")]
)
def test_the_original_of_a_shot_is_found_by_name_or_time_and_content(tmp_path: Path, original: str, when: str) -> None:
    kind = "PNG" if original.endswith("png") else "JPEG"
    files = {
        "IMG_E0001.jpg": apple_jpeg(BLURRED, METRES, rendered=8, time=when or "12:00:01"),
        original: encoded(SHARP, kind, exif=exif(time=when)),
        "IMG_0002.jpg": encoded(picture(5, SIZE), exif=exif(time="12:00:01.250")),
    }
    run(write(tmp_path / "in", files), tmp_path / "out")
    ((name, row),) = table(tmp_path / "out").items()
    assert like(tmp_path / "out" / "images" / f"{name}.jpg", SHARP)
    assert like(tmp_path / "out" / "rendered" / f"{name}.jpg", BLURRED)
    assert row["photo"] == f"original in {original}"


def test_a_file_of_the_name_that_shows_something_else_is_not_the_original(tmp_path: Path, capsys) -> None:
    files = {"IMG_E1.jpg": apple_jpeg(BLURRED, METRES, rendered=8), "IMG_1.jpg": encoded(picture(7, SIZE))}
    assert run(write(tmp_path / "in", files), tmp_path / "out") == 1
    assert "IMG_1.jpg: holds no depth map." in capsys.readouterr().out


def test_a_film_behind_a_photo_is_no_picture(tmp_path: Path, capsys) -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(40) + b"\xff\xd8\xff" + bytes(900)
    assert run(write(tmp_path / "in", {"a.jpg": encoded(SHARP) + film}), tmp_path / "out") == 1
    assert "a.jpg: holds no depth map." in capsys.readouterr().out


def test_depth_of_little_confidence_is_missing(tmp_path: Path, capsys) -> None:
    folder = write(tmp_path / "in", {"a.jpg": dynamic_depth_jpeg(BLURRED, METRES, SHARP)})
    (folder / "100APPLE").mkdir()
    assert run(folder, tmp_path / "out", "--min-confidence", "0.5") == 0
    assert "subfolders: 100APPLE" in capsys.readouterr().out
    assert np.array_equal(np.isnan(np.load(tmp_path / "out" / "depth" / "a.npy")), METRES > 1)
    assert table(tmp_path / "out")["a"]["missing"] == "0.75"


def test_bursts_stay_together_and_running_again_goes_on(tmp_path: Path, capsys) -> None:
    photos = {}
    for number in range(12):  # pairs of two seconds; the second of each is a little brighter
        sharp = np.clip(picture(number // 2, SIZE).astype(int) + 9 * (number % 2), 0, 255).astype(np.uint8)
        photos[f"IMG_{number}.jpg"] = apple_jpeg(sharp, METRES, rendered=0, time=f"12:{number // 2:02}:0{number % 2}")
    some = dict(list(photos.items())[:8])
    folder, root = write(tmp_path / "in", some), tmp_path / "out"
    assert run(folder, root, "--test-share", "0.25") == 0
    before = {part: (root / f"{part}.txt").read_text() for part in ("train", "test")}
    assert len(before["test"].split()) == 2
    stamp = os.stat(root / "images" / "IMG_0.jpg").st_mtime_ns
    write(folder, photos)
    capsys.readouterr()
    assert run(folder, root, "--test-share", "0.25") == 0
    assert "4 photos imported, 8 of before stay" in capsys.readouterr().out
    assert os.stat(root / "images" / "IMG_0.jpg").st_mtime_ns == stamp
    lists = {part: (root / f"{part}.txt").read_text() for part in ("train", "test")}
    assert all(lists[part].startswith(before[part]) for part in lists)
    test = {int(name[4:]) for name in lists["test"].split()}
    assert len(test) in (2, 4)
    assert all((number ^ 1) in test for number in test)
    assert len(lists["train"].split()) + len(test) == 12


def test_names_that_are_taken_get_a_number_and_copies_count_once(tmp_path: Path, capsys) -> None:
    same = apple_jpeg(SHARP, METRES)
    files = {"a b.jpg": same, "A_B.jpeg": apple_jpeg(picture(3, SIZE), METRES), "copy.jpg": same}
    assert run(write(tmp_path / "in", files), tmp_path / "out") == 0
    assert sorted(name.casefold() for name in table(tmp_path / "out")) == ["a_b", "a_b_2"]
    assert "is a copy of another file" in capsys.readouterr().out


def test_the_default_share_is_the_papers(tmp_path: Path) -> None:
    assert extend_lists(tmp_path, {f"p{number}": number for number in range(2462)}) == (2262, 200)
    large = {f"{group}_{number}": group for group, many in enumerate((9, 2, 5)) for number in range(many)}
    assert extend_lists(tmp_path / "large", large) == (14, 2)  # no group fits into the share: the smallest


def test_what_is_there_is_never_overwritten(tmp_path: Path, capsys) -> None:
    folder = write(tmp_path / "in", {"a.jpg": apple_jpeg(SHARP, METRES)})
    (tmp_path / "mine" / "images").mkdir(parents=True)
    (tmp_path / "mine" / "images" / "x.jpg").write_bytes(encoded(SHARP))
    with pytest.raises(BokehbenchError, match="has images that were not imported from phones"):
        run(folder, tmp_path / "mine")
    (tmp_path / "out" / "depth").mkdir(parents=True)
    (tmp_path / "out" / "depth" / "a.npy").write_bytes(b"mine")
    assert run(folder, tmp_path / "out") == 1
    assert "a.npy: is there already, with other content" in capsys.readouterr().out
    assert (tmp_path / "out" / "depth" / "a.npy").read_bytes() == b"mine"


def test_the_long_side_is_an_option_and_shapes_must_fit(tmp_path: Path, capsys) -> None:
    wide = np.full((24, 80), 1.0)
    files = {
        "a.jpg": apple_jpeg(np.kron(SHARP, np.ones((3, 3, 1), np.uint8)), METRES),
        "b.jpg": apple_jpeg(SHARP, wide),
    }
    assert run(write(tmp_path / "in", files), tmp_path / "out", "--long-side", "96") == 1
    assert "b.jpg: its depth map of 80 x 24 does not fit its photo of 64 x 48" in capsys.readouterr().out
    assert Image.open(tmp_path / "out" / "images" / "a.jpg").size == (96, 72)


def test_the_other_kind_of_map_is_refused_and_the_depth_stage_trains(tmp_path: Path, monkeypatch, capfd) -> None:
    photos = {f"{number}.jpg": apple_jpeg(picture(number, SIZE), METRES) for number in range(4)}
    root = tmp_path / "out"
    assert run(write(tmp_path / "in", photos), root) == 0
    assert IPhoneDepth(root).check()[0].startswith(f"{root / 'import.csv'} says that the maps are disparity")
    monkeypatch.chdir(tmp_path)
    words = ["fit", *options("deeplens"), "--data", "iphonedepth", f"--data.root={root}", "--model.stages=[depth]"]
    words += [f"--model.depth.{key}" for key in ("steps=1", "batch_size=2", "height=64", "width=64")]
    words += ["--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]
    assert bokehbench(words) == 2
    assert "--data.depth_kind disparity" in capfd.readouterr().err
    assert bokehbench([*words, "--data.depth_kind=disparity"]) == 0


def test_files_of_real_phones_are_read_right(test_data_dir: Path) -> None:
    """Sizes, and disparity at stated pixels, as an independent reader found them."""
    pytest.importorskip("pillow_heif")
    folder = test_data_dir / "phone"
    if not folder.is_dir():
        pytest.skip("photos of phones are not here")
    for name, wanted in json.loads((folder / "expected.json").read_text()).items():
        if name == "_":
            continue
        file = read_header(folder / name)
        assert list(file.size[::-1]) == wanted["photo_size_as_shown"]
        assert file.blurred == ("blurred" in wanted.get("primary", ""))
        if "no_depth" in name or "not_turned" in name:
            with pytest.raises(BokehbenchError, match=r"no depth map|does not fit"):
                read_depth(file)
            continue
        depth = read_depth(file)
        assert list(depth.values.shape[::-1]) == wanted["depth_size_as_shown"]
        for point in (*wanted.get("points", ()), *wanted.get("points_codes", ())):
            x, y = point["depth_xy"]
            value = point["disparity"] if "disparity" in point else point["code"] / 255
            assert depth.values[y, x] == pytest.approx(value, abs=wanted.get("step", 0.02 * value) + 1e-6), name
        assert wanted.get("accuracy", depth.accuracy) == depth.accuracy
        if "all_in_focus" in wanted:
            assert depth.original is not None
            assert list(depth.original.shape[1::-1]) == wanted["all_in_focus"].get(
                "size", wanted["photo_size_as_shown"]
            )
        assert (depth.matte is not None) == ("mask" in wanted)


def test_a_real_photo_loses_its_place(test_data_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    pug = test_data_dir / "phone" / "pug.heic"
    if not pug.is_file():
        pytest.skip("photos of phones are not here")
    place = b"".join(number.to_bytes(4, "big") for number in (1, 1, 2, 1))  # 1 degree, 2 minutes
    assert place in pug.read_bytes()
    assert run(write(tmp_path / "in", {"pug.heic": pug.read_bytes()}), tmp_path / "out", "--allow-rendered") == 0
    for path in (tmp_path / "out").rglob("*.*"):
        assert place not in path.read_bytes()
    upright_photo = ImageOps.exif_transpose(Image.open(tmp_path / "out" / "images" / "pug.jpg"))
    assert upright_photo.size == (1500, 1125)
    assert not upright_photo.getexif()
