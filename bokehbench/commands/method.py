"""``bokehbench method check``: does a method that is a command do what its description says?"""

import argparse
from pathlib import Path

from bokehbench.commands.action import run_action
from bokehbench.commands.open_model import open_model
from bokehbench.errors import BokehbenchError


def main(argv: list[str]) -> int:
    """Run one action; returns 1 where ``check`` found something wrong."""
    return run_action(argv, arguments, {"check": _check})


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    parser = argparse.ArgumentParser(prog="bokehbench method", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="check")
    check = actions.add_parser("check", help="render small synthetic scenes and say in sentences what is wrong")
    check.add_argument("file", type=Path, help="YAML file that describes the method (docs/external_methods.md)")
    return parser.parse_args(words)


def _check(options: argparse.Namespace) -> int:
    from bokehbench.measure.conformance import problems

    model, _ = open_model(str(options.file), None, [], "cpu")
    found = []
    try:
        found += list(problems(model))
    except BokehbenchError as error:
        found.append(str(error))
    for problem in found:
        print(problem)
    if not found:
        print(f"{model.label}: does what {options.file} says.")
    return 1 if found else 0
