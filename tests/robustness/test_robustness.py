"""Hundreds of bad inputs over all verbs and methods: each is answered in one sentence that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attempt import attempt, left_in, sentence
from cases import Case, kinds
from material import make
from page import table, written

from bokehbench.verbs import VERBS

CASES = kinds()
#: What a verb prints when it has done what it was asked for.
SUCCESS = re.compile(r"(?m)^(Result for|Per-image scores:|No problems found|Page: |ACCEPTED|Open http|VERIFIED|Next: )")
#: Verbs that take nothing which could be bad.
HARMLESS = {"doctor"}


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> dict[str, str]:
    return make(tmp_path_factory.mktemp("material"))


def filled(word: str, known: dict[str, str]) -> str:
    """A word with what its parts that begin with ``@`` stand for."""
    for _ in range(2):  # what is made for a case may name the material
        for name in sorted(known, key=len, reverse=True):
            word = word.replace(name, known[name])
    return word


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_bad_input_is_one_sentence(case: Case, material, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = {**material, "@out": str(tmp_path / "out"), "@here": str(tmp_path)} | dict(case.make(tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    outcome = attempt([filled(word, known) for word in case.words])
    said = sentence(outcome)
    assert not outcome.trace, outcome.trace
    assert "Traceback" not in outcome.err
    assert any(name in said for name in case.names), f"names none of {case.names}: {said!r}"
    if outcome.status == 0:
        assert case.noted, f"accepted: {said!r}"
        return
    assert outcome.err.count("bokehbench: ") <= 1, outcome.err
    assert len(said) < 3000
    assert not SUCCESS.search(outcome.out), outcome.out
    assert not list(tmp_path.glob("out.*")), "a refused command left an output"
    assert not (tmp_path / "ran").exists(), "a file ran code"
    for path, content in before.items():
        assert path.parent.name in ("tiny", "results") or path.read_bytes() == content, f"{path} was changed"
    assert not [name for name in left_in(tmp_path) if name.endswith(".draft")]


def test_every_case_is_one_of_its_own_and_every_verb_has_some() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert {case.words[0] for case in CASES} - {"nope"} == set(VERBS) - HARMLESS
    assert len(CASES) >= 300


def test_the_page_counts_them() -> None:
    """``python tests/robustness/page.py`` writes the table."""
    assert written() == table(CASES)


def test_code_in_a_file_would_be_seen(tmp_path: Path, monkeypatch) -> None:
    """Lest ``ran`` is looked for in vain."""
    import pickle

    from faults import Runs

    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Runs()))
    assert (tmp_path / "ran").exists()
