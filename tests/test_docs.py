"""Command lines and links in the pages of the root and of docs/ are true: what they name exists."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from bokehbench import experiments
from bokehbench.cli import main
from bokehbench.commands.render import arguments
from bokehbench.data import DATA
from bokehbench.models import MODELS
from bokehbench.names import options_of
from bokehbench.verbs import VERBS, spelt_today

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LIGHTNING = ("fit", "validate", "test", "predict")
#: Words in capitals stand for the reader's own.
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*")


def page_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def command_lines(text: str) -> list[str]:
    """What follows ``bokehbench`` in fenced or indented blocks and in `inline code`; "..." marks no whole line."""
    text = re.sub(r"\\\n\s*", " ", text)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M)
    lines = [line for kind, block in blocks if kind != "text" for line in block.splitlines()]  # text: what was printed
    lines += re.findall(r"^ {4,}(\S.*)$", text, re.M)
    lines += re.findall(r"`([^`\n]+)`", text)
    found = [re.search(r"(?:^|[;&$] *|-m +)bokehbench +(.+)$", line) for line in lines]
    commands = [match[1].split(" #")[0].split("&&")[0].strip() for match in found if match]
    return [command for command in commands if "..." not in command and "…" not in command]


COMMANDS = [(page, line) for page in PAGES for line in dict.fromkeys(command_lines(page.read_text()))]
IDS = [f"{page_name(page)}:{line[:60]}" for page, line in COMMANDS]
LINES = sorted({line for _, line in COMMANDS})


def value_of(words: list[str], option: str) -> str | None:
    """The option's value, None if it is not there or a placeholder."""
    given = [after for word, after in pairwise(words) if word == option]
    given += [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    return given[-1] if given and not PLACEHOLDER.fullmatch(given[-1]) else None


def open_model(line: str) -> bool:
    """Whether the method is left to the reader, who cannot be parsed."""
    return bool(re.search(r"--model[ =][A-Z]+\b(?![a-z])", line))


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=IDS)
def test_names_in_command_lines_exist(page, line) -> None:
    words = shlex.split(line)
    assert words[0] in VERBS or words[0].startswith("-") or PLACEHOLDER.fullmatch(words[0])
    model, data, config = (value_of(words, option) for option in ("--model", "--data", "--config"))
    assert model is None or model in MODELS
    assert data is None or data in DATA
    assert config is None or experiments.configuration(config)


WHOLE = [line for line in LINES if " " in line and line.split()[0] in LIGHTNING and not open_model(line)]


@pytest.mark.parametrize("line", WHOLE)
def test_training_command_lines_parse(line, capsys) -> None:
    words = spelt_today(shlex.split(line))
    if "--checkpoint" in words:  # the reader's own; it brings the method's name
        at = words.index("--checkpoint")
        del words[at : at + 2]
        if "--model" not in words and "--config" not in words:
            words[1:1] = ["--model", "deeplens"]
    if "--print_config" not in words and not {"-h", "--help"} & set(words):
        words.append("--print_config")
    with pytest.raises(SystemExit) as end:
        assert main(words) == 0, capsys.readouterr().err
    assert not end.value.code


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("render ") and "--help" not in line])
def test_render_command_lines_parse(line) -> None:
    words = ["0.5" if word == "X,Y" else "8" if word == "PX" else word for word in shlex.split(line)[1:]]
    assert arguments(words).photo


def option_names(classes: list[type]) -> set[str]:
    return {name for kind in classes for name in options_of(kind)}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_options_named_in_a_page_exist(page) -> None:
    known = {"model": option_names([*MODELS.values()]), "data": option_names([*DATA.values()])}
    for group, name in re.findall(r"--(model|data)\.(\w+)", page.read_text()):
        assert name in known[group] | {"help"} or PLACEHOLDER.fullmatch(name), f"--{group}.{name}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_relative_links_lead_somewhere(page) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_the_search_finds_command_lines() -> None:
    """Lest the tests above pass because nothing was read."""
    text = "a `bokehbench fit --model x`\n\n    bokehbench data check  # why\n\n```sh\nbokehbench a ...\n```"
    assert command_lines(text) == ["data check", "fit --model x"]
    assert COMMANDS
