"""The key of a study: which anonymous file is whose picture. It stays with the organiser."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError
from bokehbench.files import write_text

FORMAT = "bokehbench-study-key"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Key:
    """What the published page does not tell.

    Attributes:
        study: the study's identity, drawn at random when it was built.
        version: hash of what raters see; votes of another version are not of this study.
        title, question: as shown.
        methods: names in the order given.
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


def read(path: Path) -> Key:
    """Read a key.

    Raises:
        BokehbenchError: not there, not a key, or of a newer format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BokehbenchError(f"{path} cannot be read ({error.strerror}): give the study's key.") from error
    except (ValueError, RecursionError) as error:
        raise BokehbenchError(f"{path} is not a study's key (no JSON): give the file that build wrote.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BokehbenchError(f"{path} is not a study's key: give the file that study build wrote beside the study.")
    if content.get("format_version") != FORMAT_VERSION:
        raise BokehbenchError(f"{path} is a key of format {content.get('format_version')}: update bokehbench.")
    try:
        return Key(
            str(content["study"]), str(content["version"]), str(content["title"]), str(content["question"]),
            tuple(map(str, content["methods"])), dict(content["inputs"]),
            {name: (str(method), str(picture)) for name, (method, picture) in content["results"].items()},
            dict(content["damaged"]), dict(content["settings"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BokehbenchError(f"{path} is damaged ({error!r}): restore the key from a copy.") from error
