"""The page in a real browser: a whole questionnaire is clicked through, and its votes are analysed."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from browser import page  # noqa: F401
from made_studies import make_study, read_key

from bokehbench.cli import main

METHODS = ("old <b>", "new $x", "mid|dle")
READY = "!document.getElementById('stage').classList.contains('loading')"


def begin(page, root: Path, query: str = "") -> None:  # noqa: F811
    page.goto((root / "study" / "index.html").as_uri() + query)
    assert page.is_disabled("#begin")
    page.check("#agree")
    page.click("#begin")


def shown(page) -> tuple[str, str, str]:  # noqa: F811
    """Ids of the left, original and right photo, once they can be answered."""
    page.wait_for_function(READY)
    page.wait_for_timeout(270)
    sources = [page.get_attribute(f"#{side}", "src") for side in ("left", "input", "right")]
    return tuple(Path(source).stem for source in sources)  # type: ignore[return-value]


def answer(page, choice: str, button: bool) -> None:  # noqa: F811
    if button:
        page.click(f"#choose-{choice}")
    else:
        page.keyboard.press({"left": "ArrowLeft", "right": "ArrowRight", "none": "ArrowDown"}[choice])


def preferred(key: dict, left: str, right: str) -> str:
    """A rater who looks, and always prefers METHODS[1], then the earlier in the alphabet."""
    if left in key["damaged"] or right in key["damaged"]:
        return "right" if left in key["damaged"] else "left"
    names = [key["results"][side][0] for side in (left, right)]
    best = METHODS[1] if METHODS[1] in names else min(names)
    return ("left", "right")[names.index(best)]


def test_a_questionnaire_from_welcome_to_analysis(page, tmp_path, capsys) -> None:  # noqa: F811
    key = make_study(tmp_path, METHODS, "--pairs-per-rater", "9", "--title", "A <i>title</i> & 'more'")
    begin(page, tmp_path)
    total = 9 + 2 + 2
    sizes = set()
    for at in range(total):
        left, original, right = shown(page)
        assert page.inner_text("#progress") == f"Pair {at + 1} of {total}"
        boxes = [page.locator(f"#{side}").bounding_box() for side in ("left", "right")]
        assert boxes[0]["width"] == boxes[1]["width"]
        assert boxes[0]["height"] == boxes[1]["height"]
        sizes.add(page.evaluate("[...document.images].every(image => !image.src || image.complete)"))
        assert original in key["inputs"]
        if at == 4:  # a reload goes on where it was, with the same pair
            page.reload()
            assert shown(page) == (left, original, right)
        if at == 6:  # an answer can be taken back
            answer(page, "none", button=False)
            shown(page)
            page.keyboard.press("Backspace")
            assert shown(page) == (left, original, right)
        answer(page, preferred(key, left, right), button=at % 2 == 0)
    page.wait_for_selector("#thanks:visible")
    with page.expect_download() as download:
        page.click("#download")
    path = tmp_path / "votes" / download.value.suggested_filename
    download.value.save_as(path)
    votes = json.loads(path.read_text())
    assert json.loads(page.input_value("#text")) == votes
    assert votes["undone"] == 1
    assert Counter(vote["kind"] for vote in votes["votes"]) == {"pair": 9, "repeat": 2, "catch": 2}
    assert all(0.2 < vote["seconds"] < 60 for vote in votes["votes"])
    page.reload()  # the answers are still there
    page.wait_for_selector("#thanks:visible")
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#again")
    page.wait_for_selector("#welcome:visible")
    assert page.evaluate("Votes.state.rater") != votes["rater"]
    capsys.readouterr()
    assert main(["study", "analyse", str(tmp_path / "study-key.json"), str(path), "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert found["strengths"][0]["method"] == METHODS[1]
    assert found["strengths"][0]["mark"] == "never beaten"
    assert found["strengths"][0]["lost"] == 0
    assert (found["votes"], found["ties"], found["repeats"], found["same"]) == (9, 0, 2, 2)
    assert found["per_rater"][0]["catches"] == found["per_rater"][0]["caught"] == 2
    assert re.search(rf"{re.escape(METHODS[1])} +\+", printed)
    for name in ("analysis.md", "pairs.csv", "judgements.csv", "analysis.png"):
        assert (tmp_path / "out" / name).stat().st_size > 100


def test_the_enlarged_view_flips_between_the_three_and_votes_for_nothing(page, tmp_path) -> None:  # noqa: F811
    make_study(tmp_path, METHODS)
    begin(page, tmp_path)
    left, original, right = shown(page)
    page.click("#show-left")
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        seen.append(Path(page.get_attribute("#large-photo", "src")).stem)
        page.keyboard.press(key)
    assert seen == [left, original, right]
    page.keyboard.press("Escape")
    page.wait_for_selector("#large", state="hidden")
    assert page.inner_text("#progress").startswith("Pair 1 ")
    answer(page, "none", button=False)
    shown(page)
    assert page.evaluate("Votes.state.votes[0].enlarged") == 1


def test_the_page_and_its_files_tell_no_names(page, tmp_path) -> None:  # noqa: F811
    make_study(tmp_path, ("ourmethod", "theirmethod"), names=("holiday", "beach"))
    published = b"".join(path.read_bytes() for path in (tmp_path / "study").rglob("*") if path.is_file())
    listed = " ".join(str(path.relative_to(tmp_path)) for path in (tmp_path / "study").rglob("*"))
    for name in ("ourmethod", "theirmethod", "holiday", "beach"):
        assert name not in listed
        assert name.encode() not in published
    begin(page, tmp_path)
    shown(page)
    assert "ourmethod" not in page.content()


def test_two_tabs_of_one_rater_go_on_together(page, tmp_path) -> None:  # noqa: F811
    make_study(tmp_path, METHODS)
    browser = page.context.browser.new_context()
    first, second = browser.new_page(), browser.new_page()
    begin(first, tmp_path)
    shown(first)
    second.goto(first.url)
    for number, tab in enumerate((second, first, second), start=1):
        shown(tab)
        answer(tab, "left", button=True)
        for both in (first, second):
            both.wait_for_function(f"typeof Votes !== 'undefined' && Votes.state.votes.length === {number}")
    assert [vote["trial"] for vote in first.evaluate("Votes.file().votes")] == [0, 1, 2]


def test_two_numbers_on_one_computer_are_two_raters(page, tmp_path) -> None:  # noqa: F811
    make_study(tmp_path, METHODS)
    assert read_key(tmp_path)["methods"] == list(METHODS)
    begin(page, tmp_path, "?n=3")
    shown(page)
    answer(page, "left", button=True)
    first = page.evaluate("Votes.file()")
    assert first["number"] == 3
    page.goto((tmp_path / "study" / "index.html").as_uri() + "?n=4")
    page.wait_for_selector("#welcome:visible")
    second = page.evaluate("Votes.file()")
    assert second["votes"] == []
    assert second["rater"] != first["rater"]


def test_a_key_held_down_or_hit_twice_answers_one_pair(page, tmp_path) -> None:  # noqa: F811
    make_study(tmp_path, METHODS)
    begin(page, tmp_path)
    shown(page)
    hit = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown'}))"
    page.evaluate(f"() => {{ {hit}; {hit} }}")  # the second one comes before anything new was seen
    shown(page)
    assert page.evaluate("Votes.state.votes.length") == 1
    page.keyboard.down("ArrowDown")
    shown(page)
    page.keyboard.down("ArrowDown")  # the second "down" without an "up" is a repeat
    shown(page)
    assert page.evaluate("Votes.state.votes.length") == 2
