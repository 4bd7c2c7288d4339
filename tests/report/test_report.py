"""The pictures' pages in a real browser, opened from disk as a reader would: they work, and log no error."""

from __future__ import annotations

import io

from made_reports import COLOURS, make_report, open_picture, report
from PIL import Image


def colour(page, selector, x, y=0.7):
    """Colour on the screen at a share of an element."""
    shot = Image.open(io.BytesIO(page.locator(selector).first.screenshot())).convert("RGB")
    return shot.getpixel((int(x * (shot.width - 1)), int(y * (shot.height - 1))))


def near(one, other, most=2):
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= most


def test_slider_moves_the_divider(page, folder):
    open_picture(page, folder, n=0)
    assert page.title().startswith("a ")
    stage, divider = page.locator(".stage"), page.locator(".divider")
    assert divider.get_attribute("aria-valuenow") == "50"
    assert near(colour(page, ".stage", 0.3), COLOURS["input"])
    assert near(colour(page, ".stage", 0.7), COLOURS["Good"])
    box = stage.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.6, steps=4)
    page.mouse.up()
    assert int(divider.get_attribute("aria-valuenow")) in (19, 20, 21)
    assert near(colour(page, ".stage", 0.3), COLOURS["Good"])
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.2)
    assert int(divider.get_attribute("aria-valuenow")) in (79, 80, 81)
    divider.focus()
    for key, value in (("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 100)):
        page.keyboard.press(key)
        assert divider.get_attribute("aria-valuenow") == str(value), key
    assert page.locator("#name").inner_text() == "a", "arrows on the divider turn no page"


def test_slider_follows_a_finger_and_two_fingers_zoom(page, folder):
    open_picture(page, folder, n=0)
    box = page.locator(".stage").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *shares):
        at = [{"x": box["x"] + box["width"] * share, "y": box["y"] + box["height"] / 2} for share in shares]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    for kind, *shares in (("touchStart", 0.5), ("touchMove", 0.6), ("touchMove", 0.75), ("touchEnd",)):
        touch(kind, *shares)
    assert int(page.locator(".divider").get_attribute("aria-valuenow")) in (74, 75, 76)
    for kind, *shares in (
        ("touchStart", 0.3),
        ("touchStart", 0.3, 0.4),
        ("touchMove", 0.2, 0.5),
        ("touchMove", 0.1, 0.6),
        ("touchEnd",),
    ):
        touch(kind, *shares)
    scale = page.evaluate("Number(document.querySelector('#stages img').style.transform.match(/scale\\((.*)\\)/)[1])")
    assert 3 < scale < 6, "five times as far apart"


def test_any_two_can_be_chosen_and_the_address_keeps_them(page, folder):
    open_picture(page, folder, n=1)
    page.select_option("#left", "target")
    page.select_option("#right", label="Bad")
    assert near(colour(page, ".stage", 0.3), COLOURS["target"])
    assert near(colour(page, ".stage", 0.7), COLOURS["Bad"])
    page.click("#swap")
    assert near(colour(page, ".stage", 0.7), COLOURS["target"])
    page.reload()
    page.wait_for_selector("body[data-shown='1'] .stage img")
    assert page.locator(".caption").all_inner_texts() == ["Bad", "Target"]
    page.click("#next")
    page.wait_for_selector("body[data-shown='2']")
    assert page.locator("#name").inner_text() == "c"
    assert page.locator(".caption").all_inner_texts() == ["Bad", "Target"]
    assert page.locator("#next").get_attribute("aria-disabled") == "true"
    page.locator("#name").click()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("body[data-shown='1']")


def test_error_map_is_the_difference_times_the_gain(page, folder):
    open_picture(page, folder, n=0)
    page.locator("#modes label", has_text="error map").click()
    assert page.locator("#left").input_value() == "target", "an error is against the target"
    for power in (0, 3):
        page.locator("#gain").fill(str(power))
        wanted = [min(255, abs(a - b) * 2**power) for a, b in zip(COLOURS["Good"], COLOURS["target"], strict=True)]
        assert near(colour(page, ".stage.error", 0.5), wanted), f"gain {2**power}"


def test_arrow_keys_turn_pages_after_a_view_was_clicked(page, folder):
    open_picture(page, folder, n=0)
    page.locator("#modes label", has_text="error map").click()
    page.wait_for_selector(".stage.error")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("body[data-shown='1'] .stage.error")


def test_zoom_is_the_same_everywhere(page, folder):
    open_picture(page, folder, n=0, view="side")
    transforms = "[...document.querySelectorAll('#stages img')].map((image) => image.style.transform)"
    box = page.locator(".stage").last.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"!{transforms}[0].endsWith('scale(1)')")
    first, second = page.evaluate(transforms)
    assert first == second
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=3)
    page.mouse.up()
    moved = page.evaluate(transforms)
    assert moved[0] == moved[1] != first, "dragging pans"
    for _ in range(6):
        page.click("#zoom-in")
    assert page.locator("#stages img.pixels").count() == 2, "single pixels can be seen"
    page.click("#zoom-fit")
    assert all(transform.endswith("scale(1)") for transform in page.evaluate(transforms))
    page.locator("#modes label", has_text="all").click()
    assert page.locator(".stage").count() == 4
    page.locator("#name").click()
    page.keyboard.press("+")
    assert len(set(page.evaluate(transforms))) == 1
    assert page.evaluate(transforms)[0].endswith("scale(1.5)")


def test_scores_of_the_picture_are_shown_and_sort(page, folder):
    open_picture(page, folder, n=2)
    rows = page.locator("#scores tbody tr")
    assert rows.all_inner_texts() == ["Good\t32.00\t0.7500", "Bad\t22.00\t0.5000"]
    head = page.locator("#scores th", has_text="PSNR")
    head.locator("button").click()
    head.locator("button").click()
    assert rows.first.inner_text().startswith("Bad")


def test_missing_pictures_have_a_placeholder(page, tmp_path):
    folder = make_report(tmp_path, ["a", "b"], ["a"])
    (tmp_path / "Good" / "b.png").write_bytes(b"this is no picture")
    (tmp_path / "input" / "b.png").write_bytes((tmp_path / "input" / "a.png").read_bytes())
    assert report(tmp_path / "leaderboards" / "tiny", folder, tmp_path) == 0
    open_picture(page, folder, n=1)
    assert page.locator(".pane.missing").inner_text() == "no picture of Good"
    assert near(colour(page, ".stage", 0.3), COLOURS["input"])
    page.locator("#modes label", has_text="error map").click()
    assert "no picture of" in page.locator(".stage").inner_text()
