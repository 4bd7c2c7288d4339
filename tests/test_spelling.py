"""Options that were renamed: the old spelling does what today's does, and is not shown."""

from __future__ import annotations

import pytest

from bokehbench.cli import main
from bokehbench.commands.completion import help_words, own_parser
from bokehbench.verbs import RENAMED, spelt_today

PAIRS = [(verb, old, new) for verb, renamed in RENAMED.items() for old, new in renamed.items()]


@pytest.mark.parametrize(("verb", "old", "new"), PAIRS)
def test_the_old_spelling_is_todays(verb: str, old: str, new: str) -> None:
    assert spelt_today([verb, "x", old, "a=b", f"{old}=c=d", f"{old}x"]) == [
        verb, "x", new, "a=b", f"{new}=c=d", f"{old}x",
    ]  # fmt: skip


@pytest.mark.parametrize(("verb", "old", "new"), [pair for pair in PAIRS if pair[0] in own_parser()])
def test_help_shows_todays_spelling_alone(verb: str, old: str, new: str) -> None:
    shown, _ = help_words(verb)
    assert new in shown
    assert old not in shown


def test_other_verbs_are_left_alone(capsys) -> None:
    assert spelt_today(["benchmark", "--pictures", "3"]) == ["benchmark", "--pictures", "3"]
    assert main(["report", "nowhere", "-o", "x", "--pictures", "a"]) == 2
    assert "--outputs a: give METHOD=FOLDER" in capsys.readouterr().err
