"""``bokehbench study analyse``: votes of made-up raters, and everything that may be handed in instead of votes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from made_studies import make_study, votes_of, write_votes

from bokehbench.cli import main

METHODS = ("alpha", "be|ta", "$gamma")
NAMES = tuple("123456")


@pytest.fixture
def key(tmp_path: Path) -> dict:
    return make_study(tmp_path, METHODS, names=NAMES)


def best_first(shown: str, left: str, right: str) -> str:
    return "left" if METHODS.index(left) < METHODS.index(right) else "right"


def analyse(root: Path, *more: str) -> tuple[int, dict]:
    paths = sorted(str(path) for path in (root / "votes").iterdir())
    status = main(["study", "analyse", str(root / "study-key.json"), *paths, "-o", str(root / "out"), *more])
    found = root / "out" / "analysis.json"
    return status, json.loads(found.read_text()) if found.exists() else {}


def test_counts_shares_and_strengths_of_known_votes(tmp_path: Path, key) -> None:
    for rater in range(4):
        write_votes(tmp_path / "votes", f"{rater}", votes_of(key, f"r{rater}", best_first, 18, rater))
    status, found = analyse(tmp_path)
    assert status == 0
    assert [row["method"] for row in found["strengths"]] == list(METHODS)
    assert [row["mark"] for row in found["strengths"]] == ["never beaten", "", "never chosen"]
    first = found["pairs"][0]
    assert (first["first"], first["second"]) == METHODS[:2]
    assert (first["share"]["won"], first["share"]["decided"], first["ties"]) == (24, 24, 0)
    assert first["share"]["low"] == pytest.approx(0.025 ** (1 / 24))
    assert first["share"]["p"] == pytest.approx(2 * 0.5**24)
    assert found["alpha"] == pytest.approx(1)
    assert main(["study", "analyse", str(tmp_path / "study-key.json"), str(tmp_path / "votes")]) == 0  # a folder
    table = pd.read_csv(tmp_path / "out" / "judgements.csv")
    assert len(table) == found["votes"] == 72
    pairs = pd.read_csv(tmp_path / "out" / "pairs.csv")
    assert list(pairs["method"]) == [METHODS[0], METHODS[0], METHODS[1]]
    assert "be\\|ta" in (tmp_path / "out" / "analysis.md").read_text()


def test_ties_are_apart_and_in_no_test(tmp_path: Path, key) -> None:
    write_votes(tmp_path / "votes", "1", votes_of(key, "r1", lambda *_: "none", 18))
    write_votes(tmp_path / "votes", "2", votes_of(key, "r2", best_first, 18))
    _, found = analyse(tmp_path)
    assert found["ties"] == 18
    assert [pair["ties"] for pair in found["pairs"]] == [6, 6, 6]
    assert all(pair["share"]["won"] == pair["share"]["decided"] == 6 for pair in found["pairs"])


def test_only_ties_still_give_a_report(tmp_path: Path, key, capsys) -> None:
    write_votes(tmp_path / "votes", "1", votes_of(key, "r1", lambda *_: "none", 18))
    status, found = analyse(tmp_path)
    assert status == 0
    assert [row["strength"] for row in found["strengths"]] == [0, 0, 0]
    assert found["pairs"][0]["share"]["share"] is None
    assert "always the same answer" in capsys.readouterr().out


def test_a_liking_for_one_side_is_seen_and_favours_no_method(tmp_path: Path, key) -> None:
    for rater in range(8):
        write_votes(tmp_path / "votes", f"{rater}", votes_of(key, f"r{rater}", lambda *_: "left", 18, rater))
    _, found = analyse(tmp_path)
    assert found["left"]["share"] == 1
    assert found["left"]["p"] < 1e-9
    assert all(abs(row["strength"]) < 0.6 for row in found["strengths"])


def with_catches(key: dict, votes: dict, passed: bool) -> dict:
    bad, good = next(iter(key["damaged"].items()))
    votes["votes"].append({"left": good, "right": bad, "choice": "left" if passed else "right", "seconds": 2})
    votes["trials"] += 1
    return votes


def test_who_fails_a_catch_trial_is_flagged_and_left_out_when_asked(tmp_path: Path, key, capsys) -> None:
    worst = {"left": "right", "right": "left"}
    good = with_catches(key, votes_of(key, "good", best_first, 18), True)
    bad = with_catches(key, votes_of(key, "bad", lambda *pair: worst[best_first(*pair)], 18, 1), False)
    write_votes(tmp_path / "votes", "good", good)
    write_votes(tmp_path / "votes", "bad", bad)
    _, found = analyse(tmp_path)
    assert found["pairs"][0]["share"]["decided"] == 12  # catch trials are no votes
    assert "failed a catch trial" in capsys.readouterr().out
    _, found = analyse(tmp_path, "--exclude-failed")
    assert found["excluded"] == ["bad"]
    assert found["pairs"][0]["share"]["won"] == found["pairs"][0]["share"]["decided"] == 6
    _, found = analyse(tmp_path, "--exclude", "good")
    assert found["pairs"][0]["share"]["won"] == 0
    assert analyse(tmp_path, "--exclude", "nobody")[0] == 2
    assert analyse(tmp_path, "--exclude", "good", "--exclude", "bad")[0] == 2
    assert "no votes are left" in capsys.readouterr().err


def test_repeated_pairs_measure_consistency_and_count_once(tmp_path: Path, key) -> None:
    votes = votes_of(key, "r1", best_first, 10)
    for again, vote in enumerate(votes["votes"][:4]):
        turned = {"left": "right", "right": "left"}[vote["choice"]] if again else vote["choice"]
        votes["votes"].append({**vote, "left": vote["right"], "right": vote["left"], "choice": turned})
    votes["trials"] = 14
    write_votes(tmp_path / "votes", "1", votes)
    _, found = analyse(tmp_path)
    assert (found["votes"], found["repeats"], found["same"]) == (10, 4, 3)


def test_the_same_rater_or_answers_count_once(tmp_path: Path, key, capsys) -> None:
    votes = votes_of(key, "r1", best_first, 18)
    write_votes(tmp_path / "votes", "1", {**votes, "votes": votes["votes"][:5]})
    write_votes(tmp_path / "votes", "2", votes)
    write_votes(tmp_path / "votes", "3", votes)
    write_votes(tmp_path / "votes", "4", {**votes, "rater": "somebody-else"})
    status, found = analyse(tmp_path)
    assert (status, found["raters"], found["votes"]) == (0, 1, 18)
    told = capsys.readouterr().err
    assert "1.json: the same rater as" in told
    assert "3.json: the same votes as" in told
    assert "4.json: the votes and times of" in told


def spoilt(votes: dict, **changes: object) -> dict:
    """Votes whose first vote is changed."""
    return {**votes, "votes": [{**votes["votes"][0], **changes}, *votes["votes"][1:]]}


BAD = {
    "cut": (lambda v: json.dumps(v)[:-40], "not JSON, or cut short"),
    "binary": (lambda v: "\x00\x01", "not JSON"),
    "deep": (lambda v: "[" * 100_000, "not JSON"),
    "list": (lambda v: [], "not a file of votes"),
    "newer": (lambda v: {**v, "format_version": 2}, "update"),
    "another": (lambda v: {**v, "study": "0" * 16}, "another study"),
    "edited": (lambda v: {**v, "version": "0" * 16}, "another version"),
    "markup": (lambda v: {**v, "rater": "<script>alert(1)</script>"}, "valid rater"),
    "formula": (lambda v: {**v, "rater": "=1+1"}, "valid rater"),
    "empty": (lambda v: {**v, "votes": []}, "no votes"),
    "surplus": (lambda v: {**v, "trials": 3}, "more votes than"),
    "strings": (lambda v: {**v, "votes": ["left"] * 5}, "vote 1 is not an object"),
    "choice": (lambda v: spoilt(v, choice="both"), "vote 1 is no choice"),
    "dict": (lambda v: spoilt(v, left={}), "vote 1 is no choice"),
    "unhashable": (lambda v: spoilt(v, choice=[]), "vote 1 is no choice"),
    "unknown": (lambda v: spoilt(v, left="../../etc/passwd"), "never shows together"),
    "itself": (lambda v: spoilt(v, left=v["votes"][0]["right"]), "never shows together"),
    "crossed": (lambda v: spoilt(v, left=v["other"]), "never shows together"),
    "nan": (lambda v: spoilt(v, seconds=float("nan")), "no valid time"),
    "huge": (lambda v: spoilt(v, seconds=10**400), "no valid time"),
    "negative": (lambda v: spoilt(v, seconds=-1), "no valid time"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence_and_the_others_count(tmp_path: Path, key, capsys, name) -> None:
    votes = votes_of(key, "bad", best_first, 18, 1)
    here = key["results"][votes["votes"][0]["right"]]
    votes["other"] = next(i for i, (method, shown) in key["results"].items() if shown != here[1] and method != here[0])
    spoil, words = BAD[name]
    write_votes(tmp_path / "votes", "good", votes_of(key, "good", best_first, 18))
    write_votes(tmp_path / "votes", name, spoil(votes))
    status, found = analyse(tmp_path)
    told = capsys.readouterr().err.strip()
    assert status == 1
    assert len(told.splitlines()) == 1
    assert f"{name}.json: " in told
    assert words in told
    assert found["raters"] == 1
    assert len(found["left_out"]) == 1


def test_without_any_good_file_there_is_no_analysis(tmp_path: Path, key, capsys) -> None:
    write_votes(tmp_path / "votes", "1", "{}")
    status, found = analyse(tmp_path)
    assert (status, found) == (2, {})
    assert "no votes are left" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "bokehbench-study-key", "format_version": 1}'])
def test_a_wrong_key_is_one_sentence(tmp_path: Path, capsys, content) -> None:
    (tmp_path / "votes").mkdir()
    (tmp_path / "study-key.json").write_text(content)
    write_votes(tmp_path / "votes", "1", "{}")
    assert analyse(tmp_path)[0] == 2
    assert "study-key.json" in capsys.readouterr().err


def test_unknown_actions_name_the_nearest(capsys) -> None:
    assert main(["study", "analyze"]) == 2
    assert "analyse" in capsys.readouterr().err
