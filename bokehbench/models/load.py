"""From a checkpoint file, or from stored settings, to a method ready to render."""

from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from bokehbench.checkpoints import newest, read_checkpoint
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import StageRecipe
from bokehbench.names import options_of, refuse_values, spelt_today
from bokehbench.provenance import Provenance, code_of
from bokehbench.registry import OURS

#: No argument of a method is a larger number, or NaN.
LARGEST = 10**6
#: Types of arguments of which a string is a value, not a name.
PLAIN = (str, int, float, bool, type(None), list, tuple, dict, Path, Enum)
Changes = Callable[[type[BokehModel]], dict[str, Any]]


def load_model(
    path: str | Path, expected: type[BokehModel] | None = None, changes: Changes | None = None
) -> BokehModel:
    """The method of a checkpoint, in evaluation mode; what it is comes from the file, never from what was typed.

    Args:
        path: a checkpoint, a folder of weights, or what else :func:`bokehbench.checkpoints.located` finds.
        expected: the class that the user asked for, or None.
        changes: given the method's class, constructor arguments in place of the stored ones, such as
            ``{"upsampling": "guided"}``.

    Raises:
        BokehbenchError: unreadable, of another or an unknown method, or weights that do not fit.
    """
    content = read_checkpoint(Path(path))
    kind = method_of(content, str(path))
    if expected is not None and expected is not kind:
        raise BokehbenchError(
            f"{path} is of {MODELS.written(kind)}, not of {MODELS.written(expected)}: "
            f"give --model {MODELS.name_of(kind)}."
        )
    stored, changed = stored_arguments(content, kind, str(path)), changes(kind) if changes else {}
    try:
        model = construct(kind, {**stored, **changed})
    except BokehbenchError as error:
        raise error if changed else BokehbenchError(f"{path}: {error}") from error
    except Exception as error:  # whatever a constructor makes of what it was never meant to be given
        raise BokehbenchError(
            f"{path} has arguments of which {MODELS.written(kind)} cannot be made ({error}): fetch or write it again."
        ) from error
    model.take_weights(content, str(path))
    return model.eval()


def method_of(content: Mapping[str, Any], source: str) -> type[BokehModel]:
    """The class of a checkpoint's method; nothing is imported because the file names it (:class:`Classes`).

    Raises:
        BokehbenchError: the file names none, or one that is neither registered nor imported.
    """
    name = content.get("bokehbench", {}).get("model")
    if name is None:
        raise BokehbenchError(f"{source} does not say which method it is of: it was not written by bokehbench.")
    record = Provenance.of_checkpoint(content, source)
    owner = f"{record.distribution} {record.version}".strip()
    return recorded_method(record.method if record.name == name else name, source, owner)


def recorded_method(name: str, source: str, owner: str = "") -> type[BokehModel]:
    """The method that a file names by its class path, or by its class name alone, as only ours ever were."""
    kind = MODELS.recorded(name if "." in name else f"{OURS}.{name}", source, owner)
    if kind.of_command:
        ways = "test it with --model METHOD.yaml, or verify the pictures that its test stored with --outputs FOLDER"
        raise BokehbenchError(f"{source} is of an external method, whose command no file may run: {ways}.")
    return kind


def shipped(kind: type[BokehModel], record: Provenance) -> str:
    """What people are told of the weights of :attr:`BokehModel.pretrained`, which have this record."""
    code, data = code_of(kind), record.data.get("class")
    come = f"weights that come with {code['distribution']} {code['version']}".rstrip()
    return f"{come}, trained on {data}" if data else come


def newest_checkpoint(kind: type[BokehModel] | None) -> Path:
    """The last checkpoint that ``fit`` wrote below ``runs/``, of any method where ``kind`` is None.

    Raises:
        BokehbenchError: there is none.
    """
    name = MODELS.name_of(kind) if kind else None
    found = newest(Path("runs"), f"{name or '*'}/*/checkpoints/last.ckpt")
    if found is None:
        raise BokehbenchError(
            f"No checkpoint: train one with `bokehbench fit --model {name or 'NAME'}`, or give one with --checkpoint."
        )
    return found


def construct(kind: type[BokehModel], arguments: Mapping[str, Any]) -> BokehModel:
    """A method from stored constructor arguments: present or former names, recipes as objects or dicts."""
    recipes = {k: StageRecipe(**v) for k, v in arguments.items() if isinstance(v, Mapping) and "steps" in v}
    refuse_values(kind, arguments, "--model.")
    # In a context of its own: Lightning's command line keeps the arguments of the method that it makes there, and would
    # take them for those of a method made within
    return Context().run(kind, **spelt_today({**arguments, **recipes}, options_of(kind)))


def stored_arguments(content: Mapping[str, Any], kind: type[BokehModel], source: str) -> dict[str, Any]:
    """Constructor arguments in a checkpoint under their present names, without what would load or download weights.

    Raises:
        BokehbenchError: one names a class or a function, which the command line would import, or is of a wrong type; or
            they ask for a much larger network than the checkpoint holds. ``source`` names it.
    """
    stored = spelt_today(content.get("hyper_parameters", {}), options_of(kind))
    kept = {key: value for key, value in stored.items() if not key.startswith("_") and key != "weights"}
    try:
        hints = get_type_hints(kind.__init__)
    except NameError:  # of a method of others: names that only type checkers import
        hints = {}
    for key, value in kept.items():
        if _names_a_class(value) or (isinstance(value, str) and _is_imported(hints.get(key))):
            raise BokehbenchError(
                f"The checkpoint's argument '{key}' names a class or a function to import, which no file may: "
                "save it without."
            )
        hint, number = hints.get(key), isinstance(value, int | float)
        other = hint in (bool, int, float, str) and type(value) not in ((int, float) if hint is float else (hint,))
        if other or (number and not abs(value) <= LARGEST):
            raise BokehbenchError(f"{source} is broken: its argument '{key}' is {str(value)[:40]!r}. Fetch it again.")
    if "backbone_pretrained" in kept:
        kept["backbone_pretrained"] = False
    if kind.trainable:
        _refuse_larger(kind, kept, content["state_dict"], source)
    return kept


class _Allowance(TorchDispatchMode):
    """Inside, tensors of no more than so many numbers are made in all, and no more than 4096 times fewer tensors."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.left = numbers

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and not func.is_view:
            self.left -= max(made.numel(), 2**12)
        if self.left < 0:
            raise OverflowError
        return made


def _refuse_larger(
    kind: type[BokehModel], arguments: Mapping[str, Any], state: Mapping[str, Tensor], source: str
) -> None:
    """Make the network without its numbers, and count them: a file may ask for more than there is memory."""
    held = sum(value.numel() for value in state.values())
    try:
        with torch.device("meta"), _Allowance(16 * held + 2**28):
            construct(kind, arguments)
    except OverflowError as error:
        raise BokehbenchError(
            f"{source} is broken: its arguments ask for a far larger network than the {held} numbers that it holds. "
            "Fetch it again."
        ) from error
    except Exception:  # said better where it is made in earnest
        return


def _names_a_class(value: Any) -> bool:
    """Whether jsonargparse would import for it, at any depth."""
    if isinstance(value, Mapping):
        return "class_path" in value or any(map(_names_a_class, value.values()))
    return isinstance(value, list | tuple) and any(map(_names_a_class, value))


def _is_imported(hint: Any) -> bool:
    """Whether jsonargparse takes a string of this type for the name of a class or a function."""
    if get_origin(hint) is Literal:
        return False
    if get_origin(hint) in (type, Callable) or hint is Callable:
        return True
    if inside := get_args(hint):
        return any(map(_is_imported, inside))
    return isinstance(hint, type) and not issubclass(hint, PLAIN) and not is_dataclass(hint)
