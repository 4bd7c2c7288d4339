"""Where the experiment files are, in a checkout and in an installed package, and what they say."""

import functools
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.settings_files import check_shapes, read_settings

#: What a configuration holds, as far as it is read before Lightning reads it, and a ``model`` or ``data`` in it.
SHAPES: dict[str, Any] = {
    "model": str | Mapping[str, Any] | None, "data": str | Mapping[str, Any] | None,
    "trainer": Mapping[str, Any] | None,
}  # fmt: skip
CHOICE: dict[str, Any] = {"class_path": str, "init_args": Mapping[str, Any] | None}


def folder() -> Path:
    """``experiments/`` of the checkout, or its copy inside the installed package."""
    package = Path(__file__).parent
    installed = package / "experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def find(name: str, kind: Literal["suite", "sweep"]) -> Path:
    """A file of ``kind``: a path, or the bare name of one of ours (``deeplens``), else BokehbenchError."""
    files = (folder() / "suites" if kind == "suite" else folder()).glob("*.yaml")
    ours = {path.stem: path for path in files if kind == "suite" or "sweep" in read(path)}
    found = Path(name) if Path(name).is_file() else ours.get(name.removesuffix(".yaml"))
    if found is None:
        raise BokehbenchError(f"There is no {kind} '{name}'; {nearest(Path(name).stem, ours)}.")
    return found


def names() -> dict[str, dict[str, Any]]:
    """Our configurations, ``METHOD_VARIANT`` -> its settings, which are not to be changed."""
    recipes = {path.stem: _ours(path, path.stat().st_mtime_ns) for path in sorted(folder().glob("*.yaml"))}
    return {f"{recipe}_{name}": settings for recipe, found in recipes.items() for name, settings in found.items()}


@functools.cache
def _ours(path: Path, changed: int) -> dict[str, dict[str, Any]]:
    """:func:`variants`, once for each time at which the file was changed: a command asks several times."""
    return variants(path)


def configuration(name: str) -> dict[str, Any]:
    """The settings of a file, of a variant in it (``mine.yaml:ebb``) or of ours (``d2f_ebb``), else BokehbenchError."""
    file = next((word for word in (name, name.rpartition(":")[0]) if Path(word).is_file()), None)
    if file is None:
        found = names()
    else:
        of_file = {f"{file}:{variant}": settings for variant, settings in variants(Path(file)).items()}
        found = of_file or {file: read(Path(file))}
    if name not in found:
        near = Path(name).stem if file is None else name
        same = [each for each in found if each.partition("_")[0] == near.partition("_")[0]]  # of one method
        raise BokehbenchError(f"There is no configuration '{name}'; {nearest(near, same or found)}.")
    check_shapes({key: each for key, each in found[name].items() if key in SHAPES}, SHAPES, name)
    for key in ("model", "data"):
        if isinstance(chosen := found[name].get(key), dict):
            check_shapes({word: chosen[word] for word in CHOICE if word in chosen}, CHOICE, f"{name}, {key}")
    return deepcopy(found[name])


def quick(model: str) -> str:
    """The configuration of a method (name in lower case) where none is named: its own, or that of the baselines."""
    own = f"{model}_quick"
    return own if own in names() else "baselines_quick"


def variants(path: Path) -> dict[str, dict[str, Any]]:
    """The variants in a file, if any: each over ``common``, or over the one above it that it is ``like``.

    Raises:
        BokehbenchError: they are no mappings, or one is ``like`` a variant that does not stand above it.
    """
    content = read(path)
    asked, found = content.get("variants", {}), {None: content.get("common", {})}
    if not isinstance(asked, dict) or not all(isinstance(each, dict) for each in (found[None], *asked.values())):
        raise BokehbenchError(f"{path}: 'common', 'variants' and each variant are mappings: NAME: {{model: ...}}.")
    for name, settings in asked.items():
        like = settings.get("like")
        if not isinstance(like, str | None) or like not in found:
            raise BokehbenchError(f"{path}, {name}: 'like' names a variant above it, not '{like}'.")
        found[name] = merged(found[like], settings)
        found[name].pop("like", None)
    return {name: found[name] for name in asked}


def merged(below: Any, above: Any) -> Any:
    """``above`` over ``below``, mapping by mapping; nothing stays of the settings of another class."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    if below.get("class_path") not in (None, above.get("class_path", below.get("class_path"))):
        return above
    return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}


def read(path: Path) -> dict[str, Any]:
    """A file as a dict; BokehbenchError where it is not YAML, or not a mapping."""
    return read_settings(path)
