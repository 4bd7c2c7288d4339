"""``bokehbench app``: files that are refused, and what each method renders of what the page offers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_uploads import SIZE, bomb
from makers import picture, save
from methods import SMALL, tiny
from PIL import Image

pytest.importorskip("gradio")

from bokehbench.app.guard import is_loopback
from bokehbench.app.intake import read_map_upload, read_upload
from bokehbench.app.refocuser import Refocuser
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS


def absurd(name: str, folder: Path) -> Path:
    path = folder / f"{name}.png"
    if name == "text":
        path.write_text("not a picture")
    elif name == "empty":
        path.write_bytes(b"")
    elif name == "point":
        save(path, np.zeros((1, 1, 3), np.uint8))
    elif name == "strip":
        save(path, np.zeros((32, 2000, 3), np.uint8))
    elif name == "large":
        Image.new("1", (20_000, 5_001)).save(path)
    elif name == "cut":
        whole = save(folder / "whole.png", picture(1, (200, 200))).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif name == "eps":
        path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n")
    else:
        bomb(path)
    return path


REASONS = {
    "text": "not a picture", "empty": "empty", "point": "at least 32 x 32", "strip": "20 times",
    "large": "100 megapixel", "cut": "corrupt or truncated", "eps": "not a picture", "bomb": "million pixels",
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_absurd_files_are_refused_in_one_sentence_without_the_servers_folder(name, tmp_path: Path) -> None:
    path = absurd(name, tmp_path)
    for read in (read_upload, read_map_upload):
        with pytest.raises(BokehbenchError) as refused:
            read(path)
        assert str(refused.value).startswith(f"{name}.png: ")
        assert str(tmp_path) not in str(refused.value)
        assert REASONS[name].replace("a picture", "") in str(refused.value)


def test_odd_photos_open_upright_and_are_saved_at_their_own_size(tmp_path: Path) -> None:
    app = Refocuser(MODELS["identity"]().eval())
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(0, (60, 90))).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(picture(0, (60, 90))).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(picture(0, (60, 90))).convert("RGBA").save(tmp_path / "alpha.png")
    Image.fromarray(np.full((60, 90), 40_000, np.uint16)).save(tmp_path / "deep.png")
    for name, size in (
        ("turned.jpg", (90, 60)),
        ("cmyk.jpg", (60, 90)),
        ("alpha.png", (60, 90)),
        ("deep.png", (60, 90)),
    ):
        opened = app.open(tmp_path / name)
        assert opened.size == size, name
        with Image.open(app.save(opened, None, ".png")) as saved:
            assert saved.size == size[::-1], name


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_method_renders_what_the_page_offers(name, photo: Path, disparity: Path) -> None:
    model = MODELS[name](**SMALL.get(name, {})).eval()
    app, can = Refocuser(model), model.uses
    opened = app.open(photo)
    assert (opened.map is not None) == (can.disparity == "own")
    if can.disparity == "needed":
        assert "Drop a disparity map" in app.missing(opened)
    if can.disparity != "ignored":
        app.give_map(opened, disparity)
        assert (app.focus(opened) is not None) == can.focus
    opened.point = (200, 10)  # far, above
    sharp, blurred = (app.quick(opened, aperture) for aperture in (0.0, 12.0))
    assert sharp is not None
    assert blurred is not None
    assert sharp.shape == blurred.shape == opened.image.shape
    assert can.aperture == (not torch.equal(sharp, blurred))
    opened.point = (200, 290)
    moved = app.quick(opened, 12.0)
    assert can.focus == (moved is not None and not torch.equal(moved, blurred))
    with Image.open(app.save(opened, 12.0, ".jpg")) as saved:
        assert saved.size == SIZE[::-1]


def test_focus_is_sharp_where_people_clicked(photo: Path, disparity: Path) -> None:
    app = Refocuser(MODELS["layered"]().eval())
    opened = app.open(photo)
    app.give_map(opened, disparity)
    opened.point = (200, 2)
    result = app.finish(opened, 20.0)
    error = (result - opened.image).abs().mean((0, 1, 3))
    assert float(error[:10].mean()) < float(error[-10:].mean()) / 3


def test_a_late_preview_does_not_replace_the_finished_picture(photo: Path) -> None:
    app = Refocuser(tiny("deeplens").eval())
    opened = app.open(photo)
    preview, finished = app.quick(opened, 4.0), app.finish(opened, 4.0)
    assert preview is not None
    assert finished is not None
    assert app.quick(opened, 4.0) is None
    assert app.quick(opened, 5.0) is not None
    assert app.finish(opened, 4.0) is not None


def test_sessions_do_not_mix_and_leave_no_files(photo: Path, disparity: Path) -> None:
    app = Refocuser(tiny("deeplens").eval())
    one, other = app.open(photo), app.open(photo)
    app.give_map(one, disparity)
    one.point = (1, 1)
    assert not other.given
    assert other.point == (200, 150)
    assert app.focus(one) != app.focus(other)
    folders = [Path(opened.folder.name) for opened in (one, other)]
    assert folders[0] != folders[1]
    del one
    assert not folders[0].exists()
    assert folders[1].exists()
    assert photo.exists()


def test_a_map_of_another_picture_is_refused(photo: Path, tmp_path: Path) -> None:
    app = Refocuser(MODELS["layered"]().eval())
    with pytest.raises(BokehbenchError, match="another shape"):
        app.give_map(app.open(photo), save(tmp_path / "wide.png", np.zeros((40, 200), np.uint8)))


def test_a_trainable_method_without_weights_is_an_error(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["app", "--model", "pix2pix"]) == 2
    assert "--checkpoint" in capsys.readouterr().err
    assert main(["app", "--port", "70000"]) == 2


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("box", False)]
)
def test_other_addresses_than_loopback_are_known(host, own) -> None:
    assert is_loopback(host) == own
