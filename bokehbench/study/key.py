"""The key of a study: which anonymous file is whose picture. It stays with the organiser."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from bokehbench.errors import BokehbenchError
from bokehbench.files import read_bytes, write_text
from bokehbench.settings_files import check_shapes

FORMAT, VOTES = "bokehbench-study-key", "bokehbench-study-votes"
FORMAT_VERSION = 1
#: Format -> what a file of it is called.
WHAT = {FORMAT: "the key that study build wrote beside the study", VOTES: "a file of votes"}


@dataclass(frozen=True)
class Key:
    """What the published page does not tell.

    Attributes:
        study: the study's identity, drawn at random when it was built.
        version: hash of what raters see; votes of another version are not of this study.
        inputs: anonymous file -> picture's name.
        results: anonymous file -> (method, picture's name).
        damaged: anonymous file of a spoilt copy -> the anonymous file of the result that it is a copy of.
        settings: what the study was built with, for the record.
    """

    study: str
    version: str
    title: str
    question: str
    methods: tuple[str, ...]
    inputs: dict[str, str]
    results: dict[str, tuple[str, str]]
    damaged: dict[str, str]
    settings: dict[str, Any]


def place(folder: Path) -> Path:
    """Where the key of a study in ``folder`` lies: beside it, never inside, since the folder is published."""
    folder = folder.resolve()
    return folder.parent / f"{folder.name}-key.json"


def write(path: Path, key: Key) -> None:
    """Write the key as JSON."""
    content = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(key)}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_document(path: Path, form: str, most: int | None = None) -> dict[str, Any]:
    """A JSON object of a study, of format ``form`` and at most ``most`` bytes.

    Raises:
        BokehbenchError: not there, not JSON, of another format or a newer version of it.
    """
    try:
        if most is not None and path.stat().st_size > most:
            raise BokehbenchError(f"{path}: is too large for {WHAT[form]}: give the right file.")
        content = json.loads(read_bytes(path).decode())
    except OSError as error:
        raise BokehbenchError(f"{path}: cannot be read ({error.strerror}): give {WHAT[form]}.") from error
    except (ValueError, RecursionError) as error:
        raise BokehbenchError(f"{path}: is not JSON, or cut short: give {WHAT[form]}, from a copy.") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise BokehbenchError(f"{path}: is not {WHAT[form]}: give the right file.")
    if content.get("format_version") != FORMAT_VERSION:
        raise BokehbenchError(f"{path}: is of format version {content.get('format_version')}: update bokehbench.")
    return content


def read(path: Path) -> Key:
    """Read a key.

    Raises:
        BokehbenchError: not there, not a key, damaged, or of a newer format.
    """
    content = read_document(path, FORMAT)
    try:
        known = {field.name: content[field.name] for field in fields(Key)}
        check_shapes(known, get_type_hints(Key), str(path))
        if {method for method, _ in known["results"].values()} != set(known["methods"]):
            raise ValueError("results of other methods")
        known["methods"] = tuple(known["methods"])
        known["results"] = {name: (method, picture) for name, (method, picture) in known["results"].items()}
        return Key(**known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BokehbenchError(f"{path} is damaged ({error!r}): restore the key from a copy.") from error
