"""The method that a verb works with: by name, by checkpoint, or the newest of the user's own runs."""

import argparse
from typing import Any

import jsonargparse
import torch

from bokehbench.commands.arguments import take
from bokehbench.errors import BokehbenchError
from bokehbench.method import Method, open_method, refuse_unknown
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.names import current, options_of

SETTINGS_HELP = "--model.KEY VALUE sets an option of the method: `bokehbench test --model NAME --help` lists them."


def open_model(options: argparse.Namespace) -> Method:
    """The method that ``--model``, ``--checkpoint``, ``--device`` and ``settings`` (:func:`take_settings`) say.

    Without ``--device`` it is on a GPU where there is one.

    Raises:
        BokehbenchError: unknown names or settings, no checkpoint, or one of another method.
    """
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    return open_method(options.model, options.checkpoint, lambda kind: settings(options.settings, kind), device)


def settings(words: list[str], kind: type[BokehModel]) -> dict[str, Any]:
    """``--model.KEY=VALUE`` as constructor arguments of a method, types checked as ``test`` does; old names are known.

    Raises:
        BokehbenchError: the method has no such setting, or the value is none of its values.
    """
    parameters = options_of(kind)
    parts = (word.removeprefix("--model.").partition("=") for word in words)
    found = {current(key, parameters): value for key, _, value in parts}
    refuse_unknown(kind, found, "--model.")
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "model", skip=set(parameters) - set(found))
    try:
        parsed = parser.parse_args([f"--model.{key}={value}" for key, value in found.items()])
    except jsonargparse.ArgumentError as error:
        raise BokehbenchError(f"{error} (`bokehbench test --model {MODELS.name_of(kind)} --help` lists them)") from None
    return {key: parsed.model[key] for key in found}


def take_settings(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off ``--model.KEY VALUE`` and ``--model.KEY=VALUE``, as the latter; BokehbenchError without a value."""
    found = []
    for option in dict.fromkeys(word.partition("=")[0] for word in words if word.startswith("--model.")):
        words, values = take(words, (option,))
        found += [f"{option}={value}" for value in values]
    return words, found
