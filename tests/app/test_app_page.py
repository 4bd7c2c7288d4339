"""The page of ``bokehbench app``, clicked through in a real browser against a server of its own process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browser import page  # noqa: F401
from made_uploads import SIZE, bomb
from makers import picture, ramp, save
from methods import tiny
from PIL import Image
from strangers import FARLENS, write_package

import bokehbench
from bokehbench.cli import main
from bokehbench.data.augment import resize
from bokehbench.data.image_io import read_rgb, to_pixels
from bokehbench.data.maps import read_map
from bokehbench.models import MODELS
from bokehbench.models.load import load_model

pytest.importorskip("gradio")


@contextmanager
def served(tab, folder: Path, *words: str) -> Iterator[str]:
    """The address of an app of its own process, for ``tab``; its temporary files are below ``folder``, gone later."""
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
            tab.goto("about:blank")  # a page that still waits for an answer would log the end of the server
        finally:
            process.terminate()
            rest = process.communicate(timeout=30)[0]
    assert "Traceback" not in rest
    assert not list(temporary.glob("bokehbench-*"))


def open_page(tab, address: str) -> list[str]:
    """Go there; returns a list that fills with requests to anywhere else."""
    elsewhere: list[str] = []
    tab.on(
        "request",
        lambda request: None if request.url.startswith((address, "data:", "blob:")) else elsewhere.append(request.url),
    )
    tab.goto(address)
    tab.wait_for_selector("#drop input[type=file]", state="attached")
    return elsewhere


def upload(tab, where: str, path: Path) -> None:
    tab.wait_for_selector(f"#{where} input[type=file]", state="attached")
    tab.set_input_files(f"#{where} input[type=file]", str(path))


def wait_said(tab, text: str) -> str:
    tab.wait_for_function("text => document.querySelector('#said').innerText.includes(text)", arg=text)
    return tab.inner_text("#said")


def result_of(tab) -> np.ndarray:
    return np.asarray(tab.evaluate(
        """async () => {
            const image = document.querySelector('#result img'); await image.decode();
            const canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
        }"""
    ), dtype=float).reshape(*SIZE, 4)[..., :3]  # fmt: skip


def changed(tab, source: str) -> None:
    tab.wait_for_function("old => document.querySelector('#result img')?.src !== old", arg=source)


def source_of(tab) -> str:
    return tab.get_attribute("#result img", "src")


def test_layered_is_clicked_through(page, tmp_path: Path, photo: Path, disparity: Path) -> None:  # noqa: F811
    with served(page, tmp_path, "--model", "layered") as address:
        elsewhere = open_page(page, address)
        assert "no weights needed" in page.inner_text("body")
        (tmp_path / "text.png").write_text("not a picture")
        upload(page, "drop", tmp_path / "text.png")
        assert "text.png: is not a picture" in wait_said(page, "text.png")
        odd = save(tmp_path / "<b>x's & ü.png", picture(3, SIZE))
        upload(page, "drop", odd)
        wait_said(page, "Drop a disparity map")
        assert page.is_disabled("#save")
        page.wait_for_selector("#photo img")
        upload(page, "drop-map", save(tmp_path / "wide.png", np.zeros((40, 200), np.uint8)))
        wait_said(page, "of another shape")
        page.wait_for_timeout(500)  # what follows an upload, though refused
        assert "of another shape" in page.inner_text("#said")
        upload(page, "drop-map", disparity)
        wait_said(page, "focus at disparity 0.5")
        page.wait_for_selector("#result img")
        before = source_of(page)
        box = page.locator("#photo img").bounding_box()
        page.click("#photo img", position={"x": box["width"] / 2, "y": box["height"] / 2 + 90})  # below: near
        changed(page, before)
        assert float(re.search(r"disparity ([\d.]+)", page.inner_text("#said"))[1]) > 0.7
        # Without a mouse: the fields show the click, a typed point moves the ring and the focus
        assert int(page.input_value("#focus-y input")) > SIZE[0] / 2
        before = source_of(page)
        page.fill("#focus-y input", "0")
        changed(page, before)
        assert float(re.search(r"disparity ([\d.]+)", page.inner_text("#said"))[1]) < 0.1
        before = source_of(page)
        page.fill("#focus-y input", "99999")  # outside: the nearest pixel
        changed(page, before)
        assert float(re.search(r"disparity ([\d.]+)", page.inner_text("#said"))[1]) > 0.9
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


def test_photo_and_result_are_seen_without_scrolling(page, tmp_path: Path) -> None:  # noqa: F811
    """On a laptop's window, with the controls that change them below; photos of either orientation."""
    page.set_viewport_size({"width": 1280, "height": 800})
    with served(page, tmp_path, "--model", "layered") as address:
        open_page(page, address)
        before = None
        for name, size in (("landscape", (300, 400)), ("portrait", (400, 300))):
            upload(page, "drop", save(tmp_path / f"{name}.png", picture(3, size)))
            wait_said(page, "Drop a disparity map")
            upload(page, "drop-map", save(tmp_path / f"{name}_map.png", ramp(size)))
            wait_said(page, f"{name}.png")
            changed(page, before)
            before = source_of(page)
            photo, result, aperture, drop = (
                page.locator(f"#{where}").bounding_box() for where in ("photo img", "result img", "aperture", "drop")
            )
            for box in (photo, result):
                assert min(box["x"], box["y"]) >= 0
                assert box["x"] + box["width"] <= 1280
                assert box["y"] + box["height"] <= aperture["y"] < drop["y"]
                assert box["height"] > 300
            assert photo["y"] == result["y"]
            assert photo["x"] + photo["width"] <= result["x"]
            assert aperture["y"] + aperture["height"] <= 800
            assert page.evaluate("window.scrollY") == 0


def test_deeplens_follows_the_slider_and_recovers_from_a_bad_file(page, tmp_path: Path, photo: Path) -> None:  # noqa: F811
    import pytorch_lightning as pl

    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", enable_progress_bar=False)
    trainer.strategy.connect(tiny("deeplens"))
    trainer.save_checkpoint(tmp_path / "tiny.ckpt", weights_only=True)
    with served(page, tmp_path, "--checkpoint", str(tmp_path / "tiny.ckpt")) as address:
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


def test_a_method_of_another_package_is_clicked_through(page, tmp_path: Path, photo, disparity, monkeypatch) -> None:  # noqa: F811
    site = tmp_path / "site"
    write_package(site, "farlens", FARLENS)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", f"{site}:{Path(bokehbench.__file__).parents[1]}")
    root = f"--trainer.default_root_dir={tmp_path}"
    assert main(["fit", "--model", "shade", "--data", "ramps", "--trainer.accelerator=cpu", root]) == 0
    checkpoint = tmp_path / "shade" / "version_0" / "checkpoints" / "last.ckpt"
    with served(page, tmp_path, "--checkpoint", str(checkpoint)) as address:
        open_page(page, address)
        upload(page, "drop", photo)
        wait_said(page, "Shade needs a disparity map")
        upload(page, "drop-map", disparity)
        page.wait_for_selector("#result img")
        model = load_model(checkpoint, MODELS["shade"])
        expected = model.render(read_rgb(photo)[None], disparity=resize(read_map(disparity), *SIZE, smooth=True)[None])
        difference = np.abs(result_of(page) - to_pixels(expected.image[0]).astype(float))
        assert difference.mean() < 3  # the page shows a JPEG
        assert page.is_enabled("#save")
