"""From a checkpoint file, or from stored settings, to a method ready to render."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bokehbench.checkpoints import read_checkpoint
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import StageRecipe
from bokehbench.names import spelt_today

Changes = Callable[[type[BokehModel]], dict[str, Any]]


def load_model(path: Path, expected: str | None = None, changes: Changes | None = None) -> BokehModel:
    """The method of a checkpoint, in evaluation mode; what it is comes from the file, never from what was typed.

    Args:
        path: a checkpoint of ``fit`` or ``import-weights``.
        expected: class name that the user typed, or None.
        changes: given the method's class, constructor arguments in place of the stored ones, such as
            ``{"upsampling": "guided"}``.

    Raises:
        BokehbenchError: unreadable, of another or an unknown method, or weights that do not fit.
    """
    content = read_checkpoint(path)
    name = content.get("bokehbench", {}).get("model")
    if name is None:
        raise BokehbenchError(f"{path} does not say which method it is of: it was not written by bokehbench.")
    if name.lower() not in MODELS:
        raise BokehbenchError(
            f"{path} is of a method '{name}' that this bokehbench does not have; {nearest(name, MODELS)}."
        )
    if expected is not None and expected != name:
        raise BokehbenchError(f"{path} is of {name}, not of {expected}: give --model {name.lower()}.")
    kind = MODELS[name.lower()]
    model = construct(kind, {**stored_arguments(content, kind), **(changes(kind) if changes else {})})
    model.take_weights(content, str(path))
    return model.eval()


def construct(kind: type[BokehModel], arguments: Mapping[str, Any]) -> BokehModel:
    """A method from stored constructor arguments: present or former names, recipes as objects or dicts."""
    recipes = {k: StageRecipe(**v) for k, v in arguments.items() if isinstance(v, Mapping) and "steps" in v}
    return kind(**spelt_today({**arguments, **recipes}, inspect.signature(kind).parameters))


def stored_arguments(content: Mapping[str, Any], kind: type[BokehModel]) -> dict[str, Any]:
    """Constructor arguments in a checkpoint under their present names, without what would load or download weights."""
    stored = spelt_today(content.get("hyper_parameters", {}), inspect.signature(kind).parameters)
    kept = {key: value for key, value in stored.items() if not key.startswith("_") and key != "weights"}
    return {**kept, "backbone_pretrained": False} if "backbone_pretrained" in kept else kept
