"""Options of methods and data sets, and those that were spelt otherwise before."""

import inspect
from collections.abc import Container, Mapping
from typing import Any, Literal, get_args, get_origin

from bokehbench.errors import BokehbenchError

#: Options that have another name now, new -> old. The old ones stay accepted wherever a name is read.
RENAMED = {
    "aperture_share": "blur_share",
    "defocus_scale": "strength",
    "aperture": "blur_radius",
    "aperture_at_1024": "aperture",
    "min_aperture_at_1024": "min_aperture",
    "max_aperture_at_1024": "max_aperture",
}


def options_of(kind: type) -> dict[str, inspect.Parameter]:
    """What the constructor of a class takes, with what it hands on as ``**more`` to that of its base."""
    found: dict[str, inspect.Parameter] = {}
    for each in (base for base in kind.__mro__ if "__init__" in vars(base)):
        _, *mine = inspect.signature(vars(each)["__init__"]).parameters.values()
        found = {one.name: one for one in mine if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)} | found
        if all(one.kind != one.VAR_KEYWORD for one in mine):
            break
    return found


def refuse_values(kind: type, given: Mapping[str, Any], prefix: str = "") -> None:
    """Raise BokehbenchError for None, and for no choice of a ``Literal``, where the constructor takes neither.

    Python does not look, and jsonargparse lets None (YAML's ``null``) through for every type.
    """
    for name, one in options_of(kind).items():
        if name not in given or one.annotation is one.empty or one.default is None:
            continue
        value, words = given[name], str(one.annotation)
        if value is None and not any(word in words for word in ("None", "Optional", "Any")):
            raise BokehbenchError(f"{prefix}{name} null: it needs a value; leave it out for the usual one.")
        choices = get_args(one.annotation) if get_origin(one.annotation) is Literal else (value,)
        if value not in choices:
            raise BokehbenchError(f"{prefix}{name} {value}: give {' or '.join(map(str, choices))}.")


def current(name: str, parameters: Container[str]) -> str:
    """The present name of an option for a class whose constructor has ``parameters``; others stay as they are."""
    if name in parameters:
        return name
    return next((new for new, old in RENAMED.items() if old == name and new in parameters), name)


def spelt_today(settings: Mapping[str, Any], parameters: Container[str]) -> dict[str, Any]:
    """Settings of a class whose constructor has ``parameters``, each under its present name."""
    return {current(key, parameters): value for key, value in settings.items()}


def as_first_recorded(settings: Any) -> Any:
    """Settings under the names that they first had, at any depth: ids hash these, so a new name moves none.

    Only for settings under present names: an old ``aperture`` would become ``blur_radius``.
    """
    if isinstance(settings, Mapping):
        return {RENAMED.get(key, key): as_first_recorded(value) for key, value in settings.items()}
    return [as_first_recorded(each) for each in settings] if isinstance(settings, list | tuple) else settings


def first_recorded_today(name: str) -> str:
    """The present name of an option under its first one, for messages."""
    return next((new for new, old in RENAMED.items() if old == name), name)


def comparable(settings: Any) -> Any:
    """Settings recorded under present or former names, under one and the same: to compare them, not for ids.

    Twice, since an ``aperture`` may be the former name of one option or the present one of another.
    """
    return as_first_recorded(as_first_recorded(settings))
