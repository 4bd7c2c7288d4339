"""Who sees what: the page's plan.js, run in a real browser."""

from __future__ import annotations

from collections import Counter

from browser import page  # noqa: F401
from made_studies import make_study

PLAN = "numbers => numbers.map(n => Plan.plan(Votes.study, 'rater' + n, n))"


def test_numbered_raters_see_every_pair_equally_often_on_both_sides(page, tmp_path) -> None:  # noqa: F811
    """Six pairs of methods times five pictures, ten per rater: three raters are one round of all 30."""
    methods = ("a", "b", "c", "d")
    key = make_study(tmp_path, methods, "--pairs-per-rater", "10", "--repeats", "3", "--catches", "1")
    page.goto((tmp_path / "study" / "index.html").as_uri())
    plans = page.evaluate(PLAN, list(range(6)))
    assert plans == page.evaluate(PLAN, list(range(6)))
    cells: Counter = Counter()
    for trials in plans:
        kinds = Counter(trial["kind"] for trial in trials)
        assert kinds == {"pair": 10, "repeat": 3, "catch": 1}
        mine = [trial for trial in trials if trial["kind"] == "pair"]
        pairs = Counter(frozenset(key["results"][t[side]][0] for side in ("left", "right")) for t in mine)
        assert set(pairs.values()) == {1, 2}
        assert set(Counter(trial["picture"] for trial in mine).values()) == {2}
        for pair, count in pairs.items():
            ahead = sum(key["results"][t["left"]][0] == min(pair) for t in mine
                        if {key["results"][t[side]][0] for side in ("left", "right")} == pair)  # fmt: skip
            assert count != 2 or ahead == 1
        cells.update(frozenset((trial["left"], trial["right"])) for trial in mine)
        for at, trial in enumerate(trials):
            if trial["kind"] == "repeat":
                first = next(
                    n for n, t in enumerate(trials) if t["left"] == trial["right"] and t["right"] == trial["left"]
                )
                assert at - first >= 3
    assert len(cells) == 30
    assert set(cells.values()) == {2}


def test_unnumbered_raters_are_balanced_on_average(page, tmp_path) -> None:  # noqa: F811
    key = make_study(tmp_path, ("a", "b", "c"), "--pairs-per-rater", "5")
    page.goto((tmp_path / "study" / "index.html").as_uri())
    plans = page.evaluate("count => Array.from({length: count}, (_, n) => Plan.plan(Votes.study, 'r' + n, null))", 600)
    pairs = [trial for trials in plans for trial in trials if trial["kind"] == "pair"]
    cells = Counter(frozenset((trial["left"], trial["right"])) for trial in pairs)
    assert len(cells) == 15
    assert max(cells.values()) / min(cells.values()) < 1.6  # drawn shares: identity differs by build
    left = Counter(key["results"][trial["left"]][0] for trial in pairs)
    right = Counter(key["results"][trial["right"]][0] for trial in pairs)
    assert all(0.85 < left[method] / right[method] < 1.18 for method in ("a", "b", "c"))
