"""``bokehbench data ACTION``: look at a data set before training on it, or make one from photos."""

from importlib import import_module
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser
from jsonargparse.typing import restricted_number_type

from bokehbench.commands.arguments import parameters_of, spelt, take
from bokehbench.commands.options import refuse_unknown_action
from bokehbench.data import DATA
from bokehbench.data.base import BokehDataModule
from bokehbench.errors import BokehbenchError
from bokehbench.names import refuse_values
from bokehbench.refusals import unparsed
from bokehbench.registry import class_path

DEFAULT = "syntheticdof"
#: Of pictures, and of pixels along one side.
COUNT = restricted_number_type("from_1_to_10000", int, [(">=", 1), ("<=", 10_000)], join="and")
#: Actions on a data set: a module here with ``add_options(parser)`` and ``run(data, options) -> status or None``.
ON_A_SET = ("describe", "check", "preview", "lock", "depth", "fit-aperture")
#: Actions that make a data set from photos: a module here with ``main(argv) -> status``; argv[0] is the action.
FROM_PHOTOS = ("import-phone", "make-pairs")


def main(argv: list[str]) -> int:
    """Run one action; ``argv`` may start with the verb ``data`` itself.

    Returns 0, or 1 where ``check`` found problems.

    Raises:
        BokehbenchError: an unknown action or data set, or a data set that is not there.
    """
    argv = argv if argv[:1] == ["data"] else ["data", *argv]
    refuse_unknown_action(argv, (*ON_A_SET, *FROM_PHOTOS))
    if argv[1:] and argv[1] in FROM_PHOTOS:
        return int(_module(argv[1]).main(argv[1:]))
    rest, names = take(argv[1:], ("--data",))
    kind = DATA.typed(names[-1] if names else DEFAULT)
    path, used = class_path(kind), {"data": parameters_of(kind)}
    rest = [f"{word}={path}" if word == "--data.help" else spelt(word, used) for word in rest]
    if rest and rest[0] in ON_A_SET:  # the class must come before its options
        rest[1:1] = ["--data", path]
    try:
        arguments = _parser().parse_args(rest)
    except ArgumentError as error:
        raise BokehbenchError(f"{unparsed(error)} (`bokehbench data ACTION --help` lists the options).") from error
    options = arguments[arguments.action]
    given = vars(options.data.init_args)
    refuse_values(kind, given, "--data.")
    return int(_module(arguments.action).run(kind(**given), options) or 0)


def _module(action: str) -> Any:
    return import_module(f"{__name__}.{action.replace('-', '_')}")


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="bokehbench data", exit_on_error=False, description=f"Data sets: {DATA.choices}.")
    actions = parser.add_subcommands(dest="action")
    for action in ON_A_SET:
        module = _module(action)
        options = ArgumentParser(description=module.__doc__, exit_on_error=False)
        options.add_subclass_arguments(BokehDataModule, "data", help=f"{DATA.choices}; default {DEFAULT}")
        module.add_options(options)
        actions.add_subcommand(action, options, help=module.__doc__)
    for action in FROM_PHOTOS:  # for the list of --help alone: they have run before
        actions.add_subcommand(action, ArgumentParser(), help=_module(action).__doc__)
    return parser
