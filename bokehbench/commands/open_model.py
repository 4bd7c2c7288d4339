"""The method that a verb works with: by name, by checkpoint, or the newest of the user's own runs."""

import inspect
from pathlib import Path
from typing import Any

import jsonargparse
import torch

from bokehbench.commands.arguments import take
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.load import load_model, newest_checkpoint
from bokehbench.names import current

SETTINGS_HELP = "--model.KEY VALUE sets an option of the method: `bokehbench test --model NAME --help` lists them."


def open_model(
    name: str | None, checkpoint: Path | None, words: list[str], device: str | None
) -> tuple[BokehModel, Path | None]:
    """The method, in evaluation mode, and the checkpoint that it came from (None: it needs none).

    Args:
        name: short name or dotted name, or None: what the checkpoint holds.
        checkpoint: or None: the newest of the user's own runs, unless the method needs none.
        words: its settings, from :func:`take_settings`.
        device: or None: a GPU where there is one.

    Raises:
        BokehbenchError: unknown names or settings, no checkpoint, or one of another method.
    """
    kind = MODELS.typed(name) if name else None
    if kind is not None and not kind.trainable and checkpoint is None:
        model = kind(**settings(words, kind)).eval()
    else:
        checkpoint = checkpoint or newest_checkpoint(kind)
        model = load_model(checkpoint, kind, lambda kind: settings(words, kind))
    return model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")), checkpoint


def settings(words: list[str], kind: type[BokehModel]) -> dict[str, Any]:
    """``--model.KEY=VALUE`` as constructor arguments of a method, types checked as ``test`` does; old names are known.

    Raises:
        BokehbenchError: the method has no such setting, or the value is none of its values.
    """
    parameters = inspect.signature(kind).parameters
    known = [key for key in parameters if key not in ("stages", "weights")]
    parts = (word.removeprefix("--model.").partition("=") for word in words)
    found = {current(key, parameters): value for key, _, value in parts}
    for key in found:
        if key not in known:
            raise BokehbenchError(f"--model.{key}: {kind.__name__} has no such setting; {nearest(key, known)}.")
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
