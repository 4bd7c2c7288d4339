"""The board's page in a real browser, opened from disk as a reader would: it works, and logs no error."""

from __future__ import annotations

from made_boards import make_board
from made_reports import add_results, make_report, open_index, open_picture, report

#: Names that would be a script, leave an attribute, or lead elsewhere as an address.
ODD = [
    "<script>window.harm=1<",
    "\"'><img src=x onerror=window.harm=1>",
    "100%25 #1?a=b&c",
    "naïve 猫 \u202e",
    "{{ 7*7 }}`",
]


def methods(page):
    return page.locator("#ranking-table tbody th").all_inner_texts()


def test_table_sorts_both_ways_by_mouse_and_keyboard(page, folder):
    open_index(page, folder)
    assert methods(page) == ["Good", "Bad"]
    head = page.locator("#ranking-table th", has_text="PSNR").first
    head.locator("button").click()
    assert (head.get_attribute("aria-sort"), methods(page)) == ("descending", ["Good", "Bad"]), "the better on top"
    head.click(position={"x": 2, "y": 2})  # anywhere in the cell
    assert (head.get_attribute("aria-sort"), methods(page)) == ("ascending", ["Bad", "Good"])
    seconds = page.locator("#ranking-table th", has_text="s / picture")
    seconds.locator("button").focus()
    page.keyboard.press("Enter")
    assert (seconds.get_attribute("aria-sort"), methods(page)) == ("ascending", ["Bad", "Good"])
    page.keyboard.press("Space")
    assert (seconds.get_attribute("aria-sort"), methods(page)) == ("descending", ["Good", "Bad"])
    assert head.get_attribute("aria-sort") == "none"


def test_plot_names_every_method_and_shows_values(page, folder):
    open_index(page, folder)
    assert sorted(page.locator("#plot .label").all_text_contents()) == ["Bad", "Good"]
    page.locator("#plot .point", has_text="Good").locator("circle").last.hover()
    tip = page.locator("#plot .tip").inner_text()
    assert "PSNR (dB) 31.00 [" in tip
    assert "s / picture 0.3" in tip
    page.select_option("#plot-score", "ssim")
    page.locator("#plot .point", has_text="Bad").locator("circle").last.hover()
    assert "SSIM 0.5000" in page.locator("#plot .tip").inner_text()


def test_a_link_opens_the_provenance_of_its_row(page, folder):
    open_index(page, folder)
    assert not page.locator("#provenance details[open]").count()
    page.locator("#ranking-table a", has_text="Bad").click()
    shown = page.locator("#provenance details[open]")
    shown.wait_for()
    assert "c" * 40 in shown.inner_text()
    assert "torch: '9.9'" in shown.inner_text()


def test_without_pictures_scores_are_there_and_it_says_how_to_add_some(page, tmp_path):
    board = make_board(tmp_path, ids=None, count=2)
    add_results(board, ["a", "b"])
    assert report(board, tmp_path / "report") == 0
    open_index(page, tmp_path / "report")
    assert "--outputs Good=OUTPUTS" in page.locator("#pictures").inner_text()
    page.locator("#grid a").last.click()
    page.wait_for_selector("body[data-shown='1']")
    assert page.locator("#no-pictures").is_visible()
    assert not page.locator("#viewer").is_visible()
    assert "31.00" in page.locator("#scores").inner_text()


def test_odd_names_do_no_harm(page, tmp_path):
    folder = make_report(tmp_path / "a #1 % 'x' <b>", [*ODD, "</script><script>window.harm=1</script>"], ODD)
    open_index(page, folder)
    assert set(ODD) <= set(page.locator("#grid .name").all_text_contents())
    assert not page.locator("#grid script, #grid a img[src=x], #extremes img[src=x]").count()
    page.wait_for_function("[...document.querySelectorAll('#grid img')].every((image) => image.naturalWidth)")
    seen = set()
    for number in range(len(ODD) + 1):
        open_picture(page, folder, n=number)
        seen.add(page.locator("#name").text_content())
        assert page.evaluate("window.harm") is None
    assert seen == {*ODD, "</script><script>window.harm=1</script>"}
    written = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    assert all(path.isascii() and not set(path) & set("<>\"'#%? ") for path in written)


def test_thousands_of_pictures_stay_usable(page, tmp_path):
    names = [f"{number:05d}" for number in range(3000)]
    folder = make_report(tmp_path, names, names[:120], (6, 4))
    assert sum(path.stat().st_size for path in folder.glob("index.html")) < 2_000_000
    open_index(page, folder)
    assert page.locator("#grid a").count() == 60, "a page at a time"
    assert "2 · 120 pictures" in page.locator("#pager").inner_text(), "those with pictures first"
    page.uncheck("#grid-shown")
    assert "50 · 3000 pictures" in page.locator("#pager").inner_text()
    page.select_option("#grid-order", "down")
    assert page.locator("#grid .name").first.inner_text() == "02999"
    page.fill("#pager input", "50")
    page.keyboard.press("Enter")
    assert page.locator("#grid .name").last.inner_text() == "00000"
    page.fill("#grid-filter", "0123")
    assert "10 pictures" in page.locator("#pager").inner_text() or "11 pictures" in page.locator("#pager").inner_text()
    open_picture(page, folder, n=2999)
    assert page.locator("#name").inner_text() == "02999"


def test_pages_fit_a_phone(page, folder):
    page.set_viewport_size({"width": 360, "height": 740})
    open_index(page, folder)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for view in ("slider", "side", "error", "all"):
        open_picture(page, folder, n=0, view=view)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, view
