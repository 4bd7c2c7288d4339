"""Short names of methods and data sets, as people type them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bokehbench.errors import BokehbenchError, nearest


def class_name(name: str, known: Mapping[str, Any], option: str) -> str:
    """``ebb``, ``EBB`` or ``bokehbench.data.EBB`` -> ``EBB``; other dotted paths (a user's own class) stay.

    Raises:
        BokehbenchError: unknown short name, with the nearest known one.
    """
    short = name.rsplit(".", 1)[-1].lower()
    if short in known:
        return str(known[short].__name__)
    if "." in name:
        return name
    raise BokehbenchError(f"--{option}: there is no '{name}'; {nearest(name, known)}.")
