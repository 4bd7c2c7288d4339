"""``bokehbench data make-pairs``, driven as a photographer does, up to the score."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from made_depth_network import tiny_dpt
from made_photos import save_photo, scene, similarity, taken
from methods import words
from PIL import Image
from refusing import refused

from bokehbench.cli import main
from bokehbench.data.ebb import EBB
from bokehbench.preparation.pairs.folder import split_of

SIZE = (240, 320)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOKEHBENCH_CACHE", str(tmp_path / "maps"))


def two_folders(root: Path, count: int) -> list[str]:
    """Photos of a camera that counts on: 100 at f/16, 101 at f/1.8, two seconds later."""
    for number in range(count):
        narrow = scene(number, SIZE)
        wide = taken(narrow, similarity(SIZE, 1.005, 0.3, number % 3, 1), (1.2, 1.2, 1.2), 5)
        for side, name, pixels, f, second in (("f16", 100, narrow, 16, 0), ("f1.8", 101, wide, 1.8, 2)):
            place = root / side / f"IMG_{name + 2 * number}.jpg"
            save_photo(place, pixels, f, f"2026:11:29 12:{number:02}:{second:02}", focal_length=50)
    return [str(root / "f16"), str(root / "f1.8")]


def test_twelve_pairs_from_the_camera_to_the_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "own"
    assert main(["data", "make-pairs", *two_folders(tmp_path, 12), "-o", str(root), "--height", "96"]) == 0
    printed = capsys.readouterr().out
    assert "12 pairs, matched by time." in printed
    assert "12 pairs (10 train, 1 val, 1 test), 0 refused." in printed
    data = ["--data", "ebb", "--data.root", str(root)]
    network = tiny_dpt(tmp_path / "network")
    assert main(["data", "depth", *data, "--depth", f"transformers:{network}"]) == 0
    assert "12 maps" in capsys.readouterr().out
    assert main(["data", "check", *data, "--deep"]) == 0
    tiny = [word for word in words("deeplens", 1) if not word.startswith("--data")]
    assert main(["fit", *tiny, *data, "--data.num_workers=0"]) == 0
    last = str(next((tmp_path / "runs").rglob("last.ckpt")))
    capsys.readouterr()
    cpu = ["--data.num_workers=0", "--trainer.accelerator=cpu"]
    assert main(["test", "--checkpoint", last, *data, *cpu]) == 0
    printed = capsys.readouterr().out
    assert "\nDeepLens " in printed
    assert "\nidentity " in printed
    assert "not the published Val294" in printed


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """Six good pairs, one each of what is refused, and what the command said."""
    place = tmp_path_factory.mktemp("pairs")
    folders = two_folders(place, 9)
    for name in ("IMG_103.jpg", "IMG_105.jpg"):  # the second and third pair: another view; no picture
        (place / "f1.8" / name).unlink()
    save_photo(place / "f1.8" / "IMG_103.jpg", scene(40, SIZE), 1.8, "2026:11:29 12:01:02")
    save_photo(place / "f1.8" / "IMG_105.jpg", scene(2, SIZE), 1.8, "2026:11:29 12:02:02")
    save_photo(place / "f1.8" / "IMG_107.jpg", taken(scene(3, SIZE), np.eye(3), blur=5), 22, "2026:11:29 12:03:02")
    save_photo(place / "f16" / "IMG_900.jpg", scene(41, SIZE), 16)
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *args, **kwargs: said.append(" ".join(map(str, args))))
        more = ["--height", "keep", "--format", "png", "--workers", "2"]
        status = main(["data", "make-pairs", *folders, "-o", str(place / "own"), *more])
    return place, status, "\n".join(said)


def test_what_is_refused_is_said_and_the_others_are_made(made) -> None:
    _, status, said = made
    assert status == 1
    assert "9 pairs, matched by time." in said
    assert "IMG_900.jpg: left over, its EXIF has no capture time." in said
    assert "refused: IMG_102.jpg and IMG_103.jpg, too few inliers" in said
    assert "refused: IMG_104.jpg and IMG_105.jpg, same photo twice" in said
    assert "refused: IMG_106.jpg and IMG_107.jpg, f-numbers swapped: the wide photo is at f/22" in said
    assert "6 pairs (4 train, 1 val, 1 test), 3 refused" in said


def test_the_table_has_a_row_for_every_pair(made) -> None:
    with (made[0] / "own" / "pairs.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert len(rows) == 9
    good = [row for row in rows.values() if row["verdict"] == "good"]
    assert len(good) == 6
    for row in good:
        assert float(row["gain_green"]) == pytest.approx(1 / 1.2, rel=0.01)
        assert float(row["residual_px"]) < 0.5
        assert 0.9 < float(row["overlap"]) < 1
        assert (row["f_number_narrow"], row["f_number_wide"], row["focal_length_wide"]) == ("16.0", "1.8", "50.0")
    assert rows["IMG_102"]["verdict"].startswith("refused: too few inliers")
    assert rows["IMG_106"]["f_number_wide"] == "22.0"
    assert rows["IMG_106"]["split"] == rows["IMG_106"]["gain_green"] == ""


def test_it_is_read_as_a_copy_of_ebb_with_own_names(made) -> None:
    data = EBB(made[0] / "own", num_workers=0)
    assert data.check(deep=True) == []
    counts = {split: len(data.pictures(split)) for split in ("train", "val", "test")}
    assert counts == {"train": 4, "val": 1, "test": 1}
    names = [data.pictures(split)[0]["name"] for split in ("val", "test")]
    assert names == ["IMG_114", "IMG_116"], "the last ones"
    assert data.test_split == "folder"
    assert not any("not read" in note for note in data.notes)


def test_the_sheet_shows_the_worst_pairs(made) -> None:
    with Image.open(made[0] / "own" / "worst_pairs.png") as sheet:
        assert sheet.width == 6 * 486
        assert sheet.height > 3 * 300


def test_nothing_personal_is_written(made) -> None:
    for path in (made[0] / "own").rglob("*.png"):
        content = path.read_bytes()
        assert b"Somebody" not in content
        assert b"eXIf" not in content


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        (["f16", "f16"], "f16 was given twice"),
        (["f16", "nowhere"], "nowhere is not a folder"),
        (["f16", "empty"], "empty has no photos"),
        (["f16", "f1.8", "--height", "12"], "--height 12: give pixels, 64 to 20000, or keep"),
        (["f16", "f1.8", "--test-share", "0.9"], "--test-share 0.9: give 0 or more, 0.5 at most"),
        (["f16", "f1.8", "--match", "name"], "by name: give another --match"),
        (["f16", "f1.8", "-o", "f16"], "f16 is there already: give -o a new folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(made, words_, said, monkeypatch, capfd) -> None:
    monkeypatch.chdir(made[0])
    (made[0] / "empty").mkdir(exist_ok=True)
    assert said in refused(["data", "make-pairs", "-o", "elsewhere", *words_], capfd)
    assert not (made[0] / "elsewhere").exists()


def test_every_pair_refused_is_an_error(tmp_path: Path, capfd) -> None:
    for side in ("a", "b"):
        save_photo(tmp_path / side / "1.jpg", scene(1, SIZE))
    said = refused(["data", "make-pairs", str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(tmp_path / "c")], capfd)
    assert "No pair was made, every one was refused:\n  pair_1: same photo twice" in said
    assert not (tmp_path / "c").exists()


def test_without_opencv_a_sentence_names_the_extra(made, monkeypatch, capfd) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    folders = [str(made[0] / "f16"), str(made[0] / "f1.8")]
    assert "bokehbench[align]" in refused(["data", "make-pairs", *folders, "-o", str(made[0] / "x")], capfd)


def test_splits_are_the_ends_of_the_list() -> None:
    names = [str(number) for number in range(100)]
    splits = split_of(names, 0.1, 0.2)
    assert [splits[name] for name in ("69", "70", "89", "90")] == ["train", "val", "val", "test"]
    assert split_of(["a"], 0.1, 0.1) == {"a": "train"}
    assert split_of(["a", "b"], 0.1, 0.1) == {"a": "train", "b": "test"}
    assert set(split_of(names, 0, 0).values()) == {"train"}
