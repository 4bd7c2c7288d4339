"""Users' own backgrounds and cut-outs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_boards import make_board
from makers import make_saliency, save, square
from methods import words as tiny_words
from PIL import Image

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.data import SyntheticDoF
from bokehbench.data.folders import Record
from bokehbench.data.synthetic.sources import (
    Cutouts,
    Photos,
    list_cutouts,
    list_files,
    read_cutout,
    split_files,
)
from bokehbench.errors import BokehbenchError


def save_photo(path: Path, size: tuple[int, int], colour: tuple[int, int, int], **options: object) -> None:
    noise = np.random.default_rng(len(path.name)).integers(-20, 20, (size[1], size[0], 3))
    Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(path, **options)


def save_cutout(path: Path, size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    pixels[..., :3] = (255, 0, 255)  # the arbitrary colour of transparent pixels must never show
    pixels[size[1] // 4 : -size[1] // 4, size[0] // 5 : -size[0] // 5] = (*colour, 255)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    backgrounds, cutouts = tmp_path / "backgrounds", tmp_path / "cutouts"
    backgrounds.mkdir()
    cutouts.mkdir()
    for i in range(3):
        save_photo(backgrounds / f"b{i}.png", (70 + 9 * i, 45), (40, 120, 40))
        save_cutout(cutouts / f"c{i}.png", (31, 40 + i), (200, 180, 20))
    (backgrounds / "notes.txt").write_text("not a picture")
    return backgrounds, cutouts


def test_scenes_use_the_folders(folders: tuple[Path, Path]) -> None:
    data = SyntheticDoF(size=(49, 67), backgrounds=folders[0], cutouts=folders[1], highlight_gain=0, num_workers=0)
    data.setup("fit")
    assert data.train_set is not None
    for index in range(8):
        item = data.train_set[index]
        assert item["image"].shape == (3, 49, 67)
        red, green, blue = item["image"]
        behind = item["mask"][0] == 0
        assert (green[behind] > red[behind]).float().mean() > 0.9, "the green photos"
        assert (blue < 0.5).all(), "magenta of transparent pixels shows"
    assert any(float(data.train_set[i]["mask"].mean()) > 0.02 for i in range(8))


def test_only_one_of_both_folders_may_be_given(folders: tuple[Path, Path]) -> None:
    for options in ({"backgrounds": folders[0]}, {"cutouts": str(folders[1])}):
        data = SyntheticDoF(size=40, num_workers=0, **options)  # type: ignore[arg-type]
        data.setup("test")
        assert data.test_set is not None
        assert data.test_set[0]["bokeh"].shape == (3, 40, 40)


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    pixels = np.zeros((40, 20, 3), np.uint8)
    pixels[:20, :, 0] = 255  # red above black as stored ...
    exif = Image.Exif()
    exif[0x0112] = 6  # ... turned a quarter clockwise: red on the right
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    spread = 0.0
    for seed in range(12):
        picture = Photos([tmp_path / "a.png"]).backdrop(np.random.default_rng(seed), 20, 40)
        assert (picture[0, 0] - picture[0, -1]).abs().max() < 0.05, "columns are of one colour"
        spread = max(spread, float((picture[0, :, 0] - picture[0, :, -1]).abs().mean()))
    assert spread > 0.9, "red on one side, black on the other"


def test_the_held_out_tenths_share_no_file(tmp_path: Path) -> None:
    for i in range(25):
        save_photo(tmp_path / f"{i}.png", (4, 4), (1, 2, 3))
    files = list_files(tmp_path, "--data.backgrounds")
    parts = {split: set(split_files(files, split)) for split in ("train", "val", "test")}
    assert [len(p) for p in parts.values()] == [21, 2, 2]
    assert len(set.union(*parts.values())) == 25
    assert split_files(files[:9], "test") == files[:9]


def test_a_cutout_is_cut_to_what_is_visible(tmp_path: Path) -> None:
    save_cutout(tmp_path / "c.png", (30, 40), (10, 20, 30))
    assert read_cutout(tmp_path / "c.png").shape == (4, 20, 18)
    made = Cutouts([tmp_path / "c.png"]).cutout(np.random.default_rng(0), 64, 64)
    assert made.alpha.min() > 0.9
    assert (made.colour.amax((1, 2)) < 0.05).all()


def test_bad_files_and_folders_are_named_before_training(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BokehbenchError, match=r"--data.backgrounds .*nowhere: no such folder"):
        SyntheticDoF(backgrounds=tmp_path / "nowhere").setup("fit")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BokehbenchError, match=r"--data.cutouts .*empty: has no pictures"):
        SyntheticDoF(cutouts=tmp_path / "empty").setup("fit")
    whole = (folders[0] / "b0.png").read_bytes()
    (folders[0] / "cut.png").write_bytes(whole[: len(whole) // 2])
    save_photo(folders[1] / "solid.jpg", (8, 8), (9, 9, 9))
    data = SyntheticDoF(backgrounds=folders[0], cutouts=folders[1])
    problems = data.check()
    assert len(problems) == 2
    assert any("cut.png" in p for p in problems)
    assert any("solid.jpg: has no alpha channel" in p for p in problems)
    with pytest.raises(BokehbenchError, match=r"cut\.png"):
        data.setup("fit")


def test_opaque_and_empty_cutouts_are_found_by_a_deep_check(tmp_path: Path) -> None:
    for name, alpha in (("opaque", 255), ("empty", 0)):
        Image.fromarray(np.full((8, 8, 4), alpha, np.uint8)).save(tmp_path / f"{name}.png")
    data = SyntheticDoF(cutouts=tmp_path)
    assert data.check() == []
    found = " ".join(data.check(deep=True))
    assert "opaque.png: is opaque everywhere" in found
    assert "empty.png: is transparent everywhere" in found


def test_a_greyscale_photo_is_a_background(tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 20), 128, np.uint8)).save(tmp_path / "grey.png")
    picture = Photos([tmp_path / "grey.png"]).backdrop(np.random.default_rng(0), 33, 65)
    torch.testing.assert_close(picture, torch.full((3, 33, 65), 0.21586), atol=1e-3, rtol=0)


@pytest.mark.parametrize("style", ["msra", "duts", "xu2017"])
def test_photos_with_masks_are_cutouts(tmp_path: Path, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Matting and saliency folders as they are published, through every action, a fit and a test."""
    root = make_saliency(tmp_path / "set", names=[f"{n}" for n in range(12)], size=(48, 64), style=style)
    for name in ("._1.jpg", "Thumbs.db"):
        (root / name).write_bytes(b"no picture")
    words = [f"--data.cutouts={root}", "--data.size=64", "--data.aperture=8", "--data.val_samples=2"]
    words += ["--data.test_samples=2", "--data.num_workers=0"]
    preview = ["-o", str(tmp_path / "sheet.png"), "--count=1"]
    for action in (["describe"], ["check"], ["check", "--deep"], ["preview", *preview]):
        assert main(["data", *action, "--data", "syntheticdof", *words]) == 0
    assert "12 cutouts, photos with masks, from" in capsys.readouterr().out
    data = SyntheticDoF(size=64, cutouts=root, num_workers=0)
    data.setup("test")
    assert len({record.name for part in ("train", "val", "test") for record in _objects(data, part)}) == 12
    assert not {r.name for r in _objects(data, "train")} & {r.name for r in _objects(data, "test")}
    fit_words = [*tiny_words("pix2pix"), f"--data.cutouts={root}", f"--trainer.default_root_dir={tmp_path}"]
    assert main(["fit", *fit_words]) == 0
    board = make_board(tmp_path, count=2, ids=None, columns=["psnr"])
    recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder", f"--trainer.callbacks.board={board}",
                f"--trainer.callbacks.output={tmp_path / 'a.json'}", "--trainer.accelerator=cpu"]  # fmt: skip
    assert main(["test", "--model", "identity", "--data", "syntheticdof", *words, *recorder]) == 0
    assert main(["leaderboard", "add", str(tmp_path / "a.json"), "--board", str(board)]) == 0
    assert [len(result.per_image) for result in results.read_all(board)] == [2]


def _objects(data: SyntheticDoF, split: str) -> list[Record]:
    return list(getattr(data, f"{split}_set").objects.files)


def test_a_photo_is_cut_out_by_its_mask_as_it_is(tmp_path: Path) -> None:
    root = make_saliency(tmp_path, names=["a"], size=(24, 32))
    ((record,), problems) = list_cutouts(root, "--data.cutouts")
    assert problems == []
    rows, columns = np.flatnonzero(square().any(1)), np.flatnonzero(square().any(0))
    rgba = read_cutout(record)
    assert rgba.shape == (4, len(rows), len(columns))
    assert (rgba[3] == 1).all()
    photo = np.asarray(Image.open(root / "a.jpg"))[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert (rgba[:3].permute(1, 2, 0) * 255 - torch.from_numpy(photo.astype(np.float32))).abs().max() < 1


def test_bad_photos_with_masks_are_named(tmp_path: Path) -> None:
    root = make_saliency(tmp_path / "set", names=["fits", "wide", "alone", "empty", "coloured"], style="xu2017")
    save(root / "alpha" / "wide.png", square((24, 60)))
    (root / "alpha" / "alone.png").unlink()
    save(root / "alpha" / "empty.png", np.zeros((24, 32), np.uint8))
    save(root / "alpha" / "coloured.png", np.dstack([square() * 255, square() * 9, square() * 1]).astype(np.uint8))
    data = SyntheticDoF(cutouts=root)
    headers = data.check()
    assert len(headers) == 2
    assert any("alone.jpg: no file of the same stem" in problem for problem in headers)
    assert any("wide.png of 60 x 24 does not fit" in problem for problem in headers)
    deep = data.check(deep=True)
    assert len(deep) == 4
    assert any("empty.png: is transparent everywhere" in problem for problem in deep)
    assert any("coloured.png: is a colour picture, not a map" in problem for problem in deep)


def test_a_folder_of_cutouts_stays_what_it_was(folders: tuple[Path, Path]) -> None:
    """Photos beside RGBA pictures of other names are no photos with masks; ids of stored results are as before."""
    save_photo(folders[1] / "solid.jpg", (8, 8), (9, 9, 9))
    make_saliency(folders[1] / "deeper", style="duts")
    assert list_cutouts(folders[1], "--data.cutouts") == (list_files(folders[1], "--data.cutouts"), [])
    settings = SyntheticDoF(cutouts=folders[1]).settings()
    assert settings["cutouts"] == str(folders[1])
