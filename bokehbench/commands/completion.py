"""``bokehbench completion bash|zsh|fish``: a script that completes verbs, options, and names of methods and data sets.

The script holds all words: asking Python for them at every Tab would take the seconds that torch needs to start.
"""

import argparse
import contextlib
import dataclasses
import functools
import io
import re
from collections.abc import Iterable
from typing import Any

from bokehbench import experiments
from bokehbench.board import boards
from bokehbench.names import options_of
from bokehbench.templates import filled
from bokehbench.verbs import VERBS, about, run

LIGHTNING = ("fit", "validate", "test", "predict")
#: Options of Lightning's verbs that belong to no class.
GENERAL = ("--config", "--checkpoint", "--print_config", "--seed_everything", "--model", "--data", "--help")
SHELLS = ("bash", "zsh", "fish")


def main(argv: list[str]) -> int:
    """Print the script."""
    parser = argparse.ArgumentParser(
        prog="bokehbench completion",
        description='A completion script for a shell: put `eval "$(bokehbench completion bash)"` into ~/.bashrc '
        "(zsh: ~/.zshrc), or write it to a file once and source that, which is faster.",
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=SHELLS)
    shell = parser.parse_args(argv[1:]).shell
    name = "completion.fish" if shell == "fish" else "completion.bash"
    known: dict[str, Any] = known_words()
    print(filled("commands", name, zsh=shell == "zsh", verbs=VERBS, about=about, quoted=_quoted, **known))
    return 0


def class_options(kind: str, owner: type) -> list[str]:
    """``--model.channels``, ``--model.rendering.steps`` ... of a class' constructor."""
    found = []
    for name, parameter in options_of(owner).items():
        found.append(f"--{kind}.{name}")
        if dataclasses.is_dataclass(parameter.default):
            found += [f"--{kind}.{name}.{field.name}" for field in dataclasses.fields(parameter.default)]
    return found


def own_parser() -> list[str]:
    """The verbs that have a parser of their own."""
    return [verb for verb in VERBS if verb not in (*LIGHTNING, "completion")]


@functools.cache
def help_words(verb: str) -> tuple[list[str], list[str]]:
    """Options and actions of a verb with a parser of its own, from what ``--help`` prints."""
    texts = [_help([verb])]
    found = re.search(r"\{([a-z,-]+)\}|\s([a-z-]+(?:\|[a-z-]+)+)\s", texts[0])  # as argparse or we ourselves list them
    actions = re.split(r"[,|]", found.group(1) or found.group(2)) if found else []
    texts += [_help([verb, action]) for action in actions]
    return sorted({w for t in texts for w in re.findall(r"(?<![\w-])--[a-z][\w-]*(?:\.[a-z_]+)*", t)}), actions


def _help(words: list[str]) -> str:
    output = io.StringIO()
    stops = (SystemExit,) if words[0] in VERBS.ours else (SystemExit, Exception)  # a broken verb completes to nothing
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), contextlib.suppress(*stops):
        run([*words, "--help"])
    return output.getvalue()


def known_words() -> dict[str, dict[str, list[str]]]:
    """What the scripts complete: ``values`` of options, ``first`` arguments of verbs besides files, ``options`` of
    verbs, and those that a ``chosen`` method (``--model deeplens``) or data set brings."""
    from pytorch_lightning import Trainer

    from bokehbench.data import DATA
    from bokehbench.models import MODELS

    own = {verb: help_words(verb) for verb in own_parser()}
    suites = sorted(path.stem for path in (experiments.folder() / "suites").glob("*.yaml"))
    general = [*GENERAL, *class_options("trainer", Trainer)]
    actions = {verb: words for verb, (_, words) in own.items() if words}
    models = {f"--model {name}": class_options("model", kind) for name, kind in MODELS.loaded().items()}
    data = {f"--data {name}": class_options("data", kind) for name, kind in DATA.loaded().items()}
    return {
        "values": {"--model": sorted(MODELS), "--data": sorted(DATA), "--config": sorted(experiments.names()),
                   "--board": boards.names()},
        "first": {**actions, "benchmark": suites, "completion": list(SHELLS)},
        "options": {**dict.fromkeys(LIGHTNING, general), **{verb: words for verb, (words, _) in own.items()}},
        "chosen": models | data,
    }  # fmt: skip


def _quoted(words: Iterable[str]) -> str:
    return "'" + " ".join(words).replace("'", "'\\''") + "'"
