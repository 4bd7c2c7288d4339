"""Kinds of options that several verbs have."""

import argparse
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError


def method_folder(text: str) -> tuple[str, Path]:
    """``METHOD=FOLDER`` in two, where the folder may hold equals signs; BokehbenchError where a side is missing."""
    method, _, folder = text.partition("=")
    method = method.strip()
    if not method or not folder or not method.isprintable():
        raise BokehbenchError(f"--outputs {text}: give METHOD=FOLDER.")
    return method, Path(folder)


def whole(parser: argparse.ArgumentParser, option: str, least: int, most: int | None = None, **details: Any) -> None:
    """Add an option that takes whole numbers from ``least`` to ``most`` (None: without an end).

    It raises BokehbenchError for anything else. ``details`` are those of ``add_argument``.
    """

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            wanted = f"of {least} or more" if most is None else f"from {least} to {most}"
            raise BokehbenchError(f"{option} {text}: give a whole number {wanted}.")
        return number

    parser.add_argument(option, type=read, **details)
