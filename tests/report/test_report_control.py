"""The page of control in a real browser, made of what ``test --control`` stored: figures, and the strength slider."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_control import control_test, make_control_board
from PIL import Image

from bokehbench.board.leaderboard import add
from bokehbench.cli import main

KEPT = "--trainer.callbacks.pictures=1"
APERTURES = (0, 4, 8, 12, 16, 20, 24)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A board with two results, the folder ``work`` of their tests, and the reports ``shown`` and ``bare``."""
    home = tmp_path_factory.mktemp("control")
    board = make_control_board(home)
    for model in ("layered", "identity"):
        add(board, control_test(board, home / "work" / model, model, KEPT))
    assert main(["report", str(board), "-o", str(home / "shown"), "--format", "png", "--work", str(home / "work")]) == 0
    assert main(["report", str(board), "-o", str(home / "bare")]) == 0
    return home


def open_control(page, folder, hash=""):
    """The page, and the addresses that it asks for."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("about:blank")
    page.goto((folder / "control.html").as_uri() + hash)
    page.wait_for_selector("#dose-plot svg")
    return asked


def shown(page, side):
    """The pixels of the left (0) or right (1) picture, as stored in the report."""
    page.wait_for_function("[...document.querySelectorAll('#stages img')].every((each) => each.naturalWidth)")
    address = page.locator("#stages img").nth(side).evaluate("(image) => image.src")
    return np.asarray(Image.open(Path(address.removeprefix("file://"))))


def kept(home, model, kind, aperture):
    return np.asarray(Image.open(home / "work" / model / "pictures" / kind / f"scene-000%2Ffront%2F{aperture:02}.png"))


def test_the_slider_walks_through_the_apertures_by_keyboard(page, home):
    page.emulate_media(reduced_motion="reduce")
    asked = open_control(page, home / "shown")
    assert page.locator("#sweep option").all_inner_texts() == ["scene-000, front in focus"]
    assert page.locator(".caption").all_inner_texts() == ["Layered", "Exact target"]
    assert not page.locator("#no-pictures").is_visible()
    page.locator("#aperture").focus()
    page.keyboard.press("Home")
    assert page.locator("#told").inner_text() == "0 px"
    assert np.array_equal(shown(page, 1), kept(home, "layered", "target", 0))
    for aperture in APERTURES[1:]:
        page.keyboard.press("ArrowRight")
        assert page.locator("#told").inner_text() == f"{aperture} px"
        assert page.locator("#aperture").get_attribute("aria-valuetext") == f"{aperture} pixels"
        assert np.array_equal(shown(page, 0), kept(home, "layered", "output", aperture))
        assert np.array_equal(shown(page, 1), kept(home, "layered", "target", aperture))
        said = page.locator("#measured").inner_text()
        assert abs(float(said.removeprefix("Layered: ").removesuffix(" px measured.")) - aperture) < 2
    page.wait_for_function("location.hash.includes('k=24')")
    assert not page.evaluate("document.getAnimations().length")
    assert all(url.startswith(("file:", "data:", "about:")) for url in asked), "nothing is fetched from anywhere"


def test_a_method_that_obeys_nothing_is_shown_as_such_and_addresses_are_kept(page, home):
    open_control(page, home / "shown")
    page.select_option("#right", label="Identity")
    page.locator("#aperture").fill("3")
    page.wait_for_function("location.hash.includes('k=12')")
    assert page.locator("#measured").inner_text().endswith("px measured. Identity: takes no aperture.")
    assert np.array_equal(shown(page, 1), kept(home, "identity", "output", 0))
    page.reload()
    page.wait_for_selector("#stages img")
    assert page.locator(".caption").all_inner_texts() == ["Layered", "Identity"]
    assert page.locator("#told").inner_text() == "12 px"
    page.locator("#doses button", has_text="Identity").click()
    page.wait_for_selector("#doses button[aria-pressed=true]:has-text('Identity')")
    assert page.locator(".caption").all_inner_texts() == ["Identity", "Identity"]


def test_without_pictures_there_are_the_curves_and_how_to_get_some(page, home, capsys):
    open_control(page, home / "bare")
    assert not page.locator("#viewer").is_visible()
    assert KEPT in page.locator("#no-pictures").inner_text()
    for figure in ("#dose-plot", "#chart-plot"):
        assert page.locator(f"{figure} .series").count() == 1, "the row that obeys"
    cells = page.locator("#doses tbody tr").first.locator("td").all_inner_texts()
    assert [abs(float(cell) - told) < 2 for cell, told in zip(cells, APERTURES[1:], strict=False)] == [True] * 6
    assert page.locator("#doses tbody tr").last.inner_text() == "Identity\ttakes no aperture"
    page.goto((home / "bare" / "index.html").as_uri())
    page.locator("header nav a", has_text="Control").click()
    page.wait_for_selector("#dose-plot svg")
    assert main(["report", str(home / "leaderboards" / "tiny"), "-o", str(home / "bare")]) == 0
    assert f"Add them with `bokehbench test --model NAME --control {KEPT}`" in capsys.readouterr().out


@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_fits(page, home, width):
    page.set_viewport_size({"width": width, "height": 800})
    open_control(page, home / "shown", "#k=8")
    assert page.locator("#told").inner_text() == "8 px"
    assert page.evaluate("document.documentElement.scrollWidth") == width
