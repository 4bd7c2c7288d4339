"""What makes two results the same measurement, as a short hash. Plain Python: starts without torch."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: ``weights_hash`` where only the pictures are known: such a result is identified by its pictures.
OUTPUTS_ONLY = "outputs only"


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: NaN -> None, infinities -> ``"inf"``/``"-inf"``, tuples -> lists, keys sorted."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else f"{value}"
    if isinstance(value, Path):
        return value.name  # a folder of somebody's machine says nothing about the measurement
    raise TypeError(f"{value!r} of type {type(value).__name__} is not a plain value")


def digest(value: Any, length: int = 12) -> str:
    """First ``length`` hex digits of the SHA-256 of ``value`` as canonical JSON."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def hash_files(files: Mapping[str, Path]) -> str:
    """SHA-256 (hex) over names and bytes of ``{name: file}``, in the order of the names.

    For ``target_hash`` and ``prediction_hash`` where the pictures are files.
    """
    total = hashlib.sha256()
    for name in sorted(files):
        with files[name].open("rb") as file:
            total.update(f"{name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def slug(name: str) -> str:
    """``name`` as a folder: lower case, other characters than letters, digits, dot, plus and minus as minus."""
    return re.sub(r"[^a-z0-9.+]+", "-", name.lower()).strip("-.") or "unnamed"
