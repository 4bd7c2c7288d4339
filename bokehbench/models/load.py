"""From a checkpoint file to a method ready to render."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import StageRecipe
from bokehbench.models.weights import load_state, read_checkpoint

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
    model = kind(**{**arguments_of(content), **(changes(kind) if changes else {})})
    load_state(model, content["state_dict"], str(path))
    return model.eval()


def arguments_of(content: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments stored in a checkpoint, recipes as objects, without what only a training run needs."""
    stored = {
        key: value
        for key, value in content.get("hyper_parameters", {}).items()
        if not key.startswith("_") and key != "weights"
    }
    stored.pop("backbone_pretrained", None)  # the weights are in the file: nothing to download
    return {k: StageRecipe(**v) if isinstance(v, dict) and "steps" in v else v for k, v in stored.items()}
