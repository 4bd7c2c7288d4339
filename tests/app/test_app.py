"""``bokehbench app``: files that are refused, what each method lets people choose, and the page, clicked through."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import page  # noqa: F401
from makers import picture, save
from methods import SMALL, tiny
from PIL import Image

pytest.importorskip("gradio")

from bokehbench.app.abilities import abilities
from bokehbench.app.intake import read_map_upload, read_upload
from bokehbench.app.refocuser import Refocuser
from bokehbench.app.server import is_loopback
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS

SIZE = (300, 400)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", picture(3, SIZE))


@pytest.fixture
def disparity(tmp_path: Path) -> Path:
    """Far above, near below: rows 0 .. 255 of a smaller map."""
    return save(tmp_path / "map.png", np.tile(np.linspace(0, 255, 75).round().astype(np.uint8)[:, None], (1, 100)))


def bomb(path: Path) -> Path:
    """A small PNG whose header claims 60000 x 60000 pixels."""
    save(path, np.zeros((40, 40), np.uint8))
    content = bytearray(path.read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    path.write_bytes(content)
    return path


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
    "text": "not a picture", "empty": "empty", "point": "at least 32 x 32", "strip": "20 times", "large": "100 megapixel",
    "cut": "corrupt or truncated", "eps": "not a picture", "bomb": "million pixels",
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


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"d2f"}))
def test_every_method_renders_what_the_page_offers(name, photo: Path, disparity: Path) -> None:
    model = MODELS[name](**SMALL.get(name, {})).eval()
    app, can = Refocuser(model), abilities(model)
    opened = app.open(photo)
    assert (opened.map is not None) == (can.disparity == "own" and name != "combination")
    if can.disparity == "needed":
        assert "drop a disparity map" in app.missing(opened)
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
    assert main(["app", "--model", "deeplens"]) == 2
    assert "--checkpoint" in capsys.readouterr().err
    assert main(["app", "--port", "70000"]) == 2


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("box", False)]
)
def test_other_addresses_than_loopback_are_known(host, own) -> None:
    assert is_loopback(host) == own


# The page ------------------------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path, *words: str) -> Iterator[str]:
    """The address of an app of its own process; its temporary files are below ``folder`` and gone in the end."""
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bokehbench", "app", "--port", "0", "--device", "cpu", *words]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if found := re.search(r"Open (http://127\.0\.0\.1:\d+)", line):
                    break
            else:
                pytest.fail("".join(said))
            yield found[1]
        finally:
            process.terminate()
            rest = process.communicate(timeout=30)[0]
    assert "Traceback" not in rest
    assert not [path for path in temporary.glob("bokehbench-*")]


def open_page(page, address: str) -> list[str]:
    """Go there; returns a list that fills with requests to anywhere else."""
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda request: None if request.url.startswith((address, "data:", "blob:")) else elsewhere.append(request.url),
    )
    page.goto(address)
    page.wait_for_selector("#drop input[type=file]", state="attached")
    return elsewhere


def upload(page, where: str, path: Path) -> None:
    page.wait_for_selector(f"#{where} input[type=file]", state="attached")
    page.set_input_files(f"#{where} input[type=file]", str(path))


def wait_said(page, text: str) -> str:
    page.wait_for_function("text => document.querySelector('#said').innerText.includes(text)", arg=text)
    return page.inner_text("#said")


def result_of(page) -> np.ndarray:
    return np.asarray(page.evaluate(
        """async () => {
            const image = document.querySelector('#result img'); await image.decode();
            const canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
        }"""
    ), dtype=float).reshape(*SIZE, 4)[..., :3]  # fmt: skip


def changed(page, source: str) -> None:
    page.wait_for_function("old => document.querySelector('#result img')?.src !== old", arg=source)


def source_of(page) -> str:
    return page.get_attribute("#result img", "src")


def test_layered_is_clicked_through(page, tmp_path: Path, photo: Path, disparity: Path) -> None:  # noqa: F811
    with served(tmp_path) as address:
        elsewhere = open_page(page, address)
        assert "no trained model here" in page.inner_text(".banner")
        upload(page, "drop", absurd("text", tmp_path))
        assert "text.png: is not a picture" in wait_said(page, "text.png")
        odd = save(tmp_path / "<b>x's & ü.png", picture(3, SIZE))
        upload(page, "drop", odd)
        wait_said(page, "drop a disparity map")
        assert page.is_disabled("#save")
        page.wait_for_selector("#photo img")
        upload(page, "drop-map", disparity)
        wait_said(page, "focus at disparity 0.5")
        page.wait_for_selector("#result img")
        before = source_of(page)
        box = page.locator("#photo img").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 40)  # below: near
        changed(page, before)
        assert float(re.search(r"disparity ([\d.]+)", page.inner_text("#said"))[1]) > 0.8
        before, pixels = source_of(page), result_of(page)
        page.fill("#aperture input[type=number]", "28")
        page.press("#aperture input[type=number]", "Tab")
        wait_said(page, "aperture 28.0 px = 7.00 %")
        changed(page, before)
        assert np.abs(result_of(page) - pixels).mean() > 0.5
        page.click("#save")
        wait_said(page, "Rendered at full size")
        with page.expect_download() as download:
            page.click("#download")
        with Image.open(download.value.path()) as saved:
            assert saved.size == SIZE[::-1]
        assert download.value.suggested_filename.endswith("_bokeh.png")
        assert elsewhere == []


def test_deeplens_follows_the_slider_and_recovers_from_a_bad_file(page, tmp_path: Path, photo: Path) -> None:  # noqa: F811
    import pytorch_lightning as pl

    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", enable_progress_bar=False)
    trainer.strategy.connect(tiny("deeplens"))
    trainer.save_checkpoint(tmp_path / "tiny.ckpt", weights_only=True)
    with served(tmp_path, "--checkpoint", str(tmp_path / "tiny.ckpt")) as address:
        elsewhere = open_page(page, address)
        assert str(tmp_path) not in page.content()
        upload(page, "drop", photo)
        page.wait_for_selector("#result img")
        page.wait_for_selector("#disparity img")
        wait_said(page, "aperture 10.0 px")
        slider = page.locator("#aperture input[type=range]")
        before = source_of(page)
        handle = slider.bounding_box()
        page.mouse.move(handle["x"] + handle["width"] * 0.32, handle["y"] + handle["height"] / 2)
        page.mouse.down()
        for share in (0.5, 0.6, 0.75):
            page.mouse.move(handle["x"] + handle["width"] * share, handle["y"] + handle["height"] / 2)
        page.mouse.up()
        value = float(slider.input_value())
        assert value > 20
        wait_said(page, f"aperture {value:.1f} px")
        changed(page, before)
        upload(page, "drop", bomb(tmp_path / "bomb.png"))
        assert "million pixels" in wait_said(page, "bomb.png")
        assert page.is_visible("#photo img")
        page.check("#format input[value=JPEG]")
        page.click("#save")
        wait_said(page, "Rendered at full size")
        with page.expect_download() as download:
            page.click("#download")
        assert download.value.suggested_filename == "photo_bokeh.jpg"
        assert elsewhere == []
