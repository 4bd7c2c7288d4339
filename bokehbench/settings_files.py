"""Files of settings that people write: YAML as plain mappings, and the shape that each setting must have."""

import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import refuse_devices

#: Bytes of a file, values of it where aliases are written out, and levels of nesting: far more than any of ours has.
LARGEST, MOST_VALUES, DEEPEST = 2**20, 100_000, 50
#: Whole numbers that fit in 64 bits.
LARGEST_NUMBER = 2**63


def read_settings(path: Path, lacking: str = "check the name") -> dict[str, Any]:
    """A YAML file as a dict of plain values.

    Args:
        path: of the file.
        lacking: the remedy where it cannot be read.

    Raises:
        BokehbenchError: it cannot be read, is too large or too deep, not YAML, no mapping, or has a key twice.
    """
    try:
        refuse_devices(path)
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise BokehbenchError(f"{path} is larger than 1 MiB: it holds no settings.")
        root = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
        if root is not None:
            _count(root, {}, 0, str(path))
            root = yaml.SafeLoader("").construct_document(root)
    except OSError as error:
        raise BokehbenchError(f"{path} cannot be read ({error.strerror}): {lacking}.") from error
    except UnicodeDecodeError as error:
        raise BokehbenchError(f"{path} is not text in UTF-8: give a YAML file.") from error
    except RecursionError:
        raise BokehbenchError(f"{path} is nested more than {DEEPEST} levels deep: it holds no settings.") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise BokehbenchError(f"{path}{where} is not valid YAML: {why}.") from error
    if not isinstance(root, dict):
        raise BokehbenchError(f"{path} holds no settings, but {_short(root)}: see experiments/ for examples.")
    return root


def _count(node: yaml.Node, known: dict[int, int], depth: int, where: str) -> int:
    """Values below a node, those of aliases as often as they are used; BokehbenchError for too many, or a bad key."""
    if id(node) in known:
        return known[id(node)]
    if depth > DEEPEST:
        raise BokehbenchError(f"{where} is nested more than {DEEPEST} levels deep, or in itself: write it flatter.")
    count = 1
    if isinstance(node, yaml.SequenceNode):
        count += sum(_count(each, known, depth + 1, where) for each in node.value)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if (name := str(key.value)) in keys and name != "<<":
                line = key.start_mark.line + 1
                raise BokehbenchError(f"{where}, line {line}: '{name[:60]}' stands there twice: remove one.")
            keys.add(name)
            count += _count(value, known, depth + 1, where)
    kind = node.tag.rpartition(":")[2]
    if kind in ("binary", "set", "omap", "pairs", "timestamp"):
        raise BokehbenchError(f"{where}, line {node.start_mark.line + 1}: settings have no {kind}: put it in quotes.")
    if count > MOST_VALUES:
        raise BokehbenchError(f"{where} has more than {MOST_VALUES} values, aliases written out: it holds no settings.")
    known[id(node)] = count
    return count


def check_shapes(content: Mapping[Any, Any], shapes: Mapping[str, Any], where: str) -> None:
    """Refuse settings that are unknown or of another type.

    Args:
        content: the settings.
        shapes: setting -> its type, as annotations have it.
        where: file, and what of it, for the sentence.

    Raises:
        BokehbenchError: names file and setting.
    """
    for key, value in content.items():
        if key not in shapes:
            raise BokehbenchError(f"{where}: there is no setting '{key}'; {nearest(str(key), shapes)}.")
        if not fits(value, shapes[key]):
            raise BokehbenchError(f"{where}: '{key}' is {_short(value)}: give {in_words(shapes[key])}.")


def fits(value: Any, kind: Any) -> bool:
    """Whether a value of JSON or YAML is of an annotated type; a list does for tuples, a whole number for a float."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin is Literal:
        return value in inside
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inside)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(k, inside[0]) and fits(v, inside[1]) for k, v in value.items())
    if origin in (tuple, list, frozenset):
        several = isinstance(value, list | tuple | frozenset)
        if not several or (origin is not tuple or inside[-1] is ...):
            return several and all(fits(each, inside[0]) for each in value)
        return len(value) == len(inside) and all(map(fits, value, inside))
    if kind in (int, float):
        number = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        return number and not (isinstance(value, int) and abs(value) >= LARGEST_NUMBER)
    return isinstance(value, kind)


def in_words(kind: Any) -> str:
    """An annotated type for a sentence."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(str, inside))
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(each) for each in inside if each is not type(None))
    if origin is not None:
        return "a mapping, KEY: VALUE" if issubclass(origin, Mapping) else f"a list, each {in_words(inside[0])}"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "nothing")


def _short(value: Any) -> str:
    """A value for a sentence."""
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'}"
    shown = repr(value) if not isinstance(value, int) or abs(value) < LARGEST_NUMBER else "a huge number"
    return shown if len(shown) <= 60 else f"{shown[:57]} ..."
