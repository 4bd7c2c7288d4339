"""Photos as people have them: turned, grey, broken, with odd names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from makers import picture, ramp, save
from methods import SMALL, tiny
from PIL import Image, ImageCms

from bokehbench.cli import main
from bokehbench.commands.render import focus
from bokehbench.errors import BokehbenchError

TURNED = 6  # EXIF: stored lying on its side


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.ckpt"
    model = tiny("deeplens")
    content = {"model": "DeepLens", "stages": [], "stage": None}
    torch.save({"state_dict": model.state_dict(), "hyper_parameters": SMALL["deeplens"], "bokehbench": content}, path)
    return path


def render(photo: Path, out: Path, checkpoint: Path, *more: str) -> int:
    return main(["render", str(photo), "--checkpoint", str(checkpoint), "-o", str(out), *more])


def test_orientation_and_profile_stay(tmp_path, checkpoint) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = TURNED
    photo = save(tmp_path / "turned.jpg", picture(1, (64, 96)), exif=exif, icc_profile=profile)
    assert render(photo, tmp_path / "out.jpg", checkpoint) == 0
    written = Image.open(tmp_path / "out.jpg")
    assert written.size == (64, 96)  # upright: what a viewer shows of the photo
    assert written.getexif().get(0x0112, 1) == 1
    assert written.info["icc_profile"] == profile


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
def test_any_kind_of_picture_is_rendered(tmp_path, checkpoint, mode) -> None:
    pixels = Image.fromarray(picture(2, (64, 80)))
    if mode == "I;16":
        pixels = Image.fromarray(np.asarray(pixels.convert("L")).astype(np.uint16) * 257)
    else:
        pixels = pixels.convert(mode)
    photo = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    pixels.save(photo)
    assert render(photo, tmp_path / "out.png", checkpoint) == 0
    assert Image.open(tmp_path / "out.png").size == (80, 64)


def test_a_folder_becomes_a_folder_and_a_broken_photo_is_named(tmp_path, checkpoint, capsys) -> None:
    for name in ("a b.jpg", "Ünïcödé's.png", "same.jpg", "same.png"):
        save(tmp_path / "in" / name, picture(3, (64, 64)))
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "in" / "notes.txt").write_text("not a photo")
    assert render(tmp_path / "in", tmp_path / "out", checkpoint) == 2
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"a b.png", "Ünïcödé's.png", "same_jpg.png", "same_png.png"}
    error = capsys.readouterr().err
    assert "1 of 5" in error
    assert "broken.jpg" in error


def test_own_disparity_map_of_any_size_is_used(tmp_path, checkpoint, capsys) -> None:
    photo = save(tmp_path / "photo.jpg", picture(4, (64, 96)))
    save(tmp_path / "maps" / "photo.png", ramp((32, 48)))
    assert render(photo, tmp_path / "out.png", checkpoint, "--disparity", str(tmp_path / "maps"), "--focus", "0.5") == 0
    assert "given disparity, focus at disparity 0.500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--focus", "500,10"], "outside the photo"),
        (["--focus", "near"], "give a point X,Y"),
        (["--aperture", "-1"], "0 or more"),
        (["--model", "deeplense"], "did you mean"),
        (["--disparity", "nowhere.png"], "nowhere.png"),
    ],
)
def test_impossible_wishes_are_answered_in_a_sentence(tmp_path, checkpoint, capsys, more, sentence) -> None:
    photo = save(tmp_path / "photo.jpg", picture(5, (64, 64)))
    assert render(photo, tmp_path / "out.png", checkpoint, *more) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_the_photo_itself_is_never_overwritten(tmp_path, checkpoint, capsys) -> None:
    photo = save(tmp_path / "photo.png", picture(6, (64, 64)))
    before = photo.read_bytes()
    assert render(photo, photo, checkpoint) == 2
    assert photo.read_bytes() == before


def test_without_checkpoint_it_says_how_to_get_one(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    photo = save(tmp_path / "photo.png", picture(7, (64, 64)))
    assert main(["render", str(photo), "--model", "pix2pix", "-o", "out.png"]) == 2
    assert "bokehbench fit --model pix2pix" in capsys.readouterr().err


def test_focus_is_a_point_or_a_disparity() -> None:
    assert focus("120,80.5") == (120.0, 80.5)
    assert focus("0.25") == 0.25
    for wrong in ("1.5", "1,2,3", "x,y", ""):
        with pytest.raises(BokehbenchError):
            focus(wrong)


def test_settings_of_the_method_may_be_given_anywhere_and_are_checked(tmp_path, capsys) -> None:
    photo, disparity = save(tmp_path / "photo.png", picture(2, (40, 60))), save(tmp_path / "d.png", ramp((40, 60)))
    common = ["--model", "layered", "--disparity", str(disparity), "--aperture", "6"]
    pixels = set()
    for number, place in enumerate((["--model.layers", "2"], ["--model.layers=32"])):
        out = tmp_path / f"{number}.png"
        assert main(["render", *common, *place, str(photo), "-o", str(out)]) == 0
        pixels.add(Image.open(out).tobytes())
    assert len(pixels) == 2
    for wrong, answer in (("--model.layers=many", "layers"), ("--model.layrs=3", "did you mean 'layers'")):
        assert main(["render", str(photo), *common, wrong, "-o", str(out)]) == 2
        assert answer in capsys.readouterr().err


def test_nothing_is_loaded_that_a_picture_does_not_need(tmp_path) -> None:
    """Beyond torch and Lightning: kornia, timm, wandb, matplotlib and scipy cost a newcomer seconds per photo."""
    photo, disparity = save(tmp_path / "a.png", picture(1, (48, 64))), save(tmp_path / "d.png", ramp((48, 64)))
    code = """
import sys
import torch, pytorch_lightning
before = {name.partition(".")[0] for name in sys.modules}
from bokehbench.cli import main
assert main(sys.argv[1:]) == 0
added = {name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)
print("added:", *sorted(name for name in added if not name.startswith("_")))
"""
    words = ["render", photo, "--model", "layered", "--disparity", disparity, "-o", tmp_path / "out.png"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True)
    added = done.stdout.rpartition("added:")[2].split()
    assert set(added) <= {"bokehbench", "platformdirs"}
