"""What several verbs share: kinds of options, and actions such as ``bokehbench study build``."""

import argparse
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bokehbench.cluster.connection import Workers
from bokehbench.cluster.in_order import engaged
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError, nearest


def refuse_unknown_action(argv: list[str], actions: Iterable[str]) -> None:
    """Raise BokehbenchError where the word behind the verb ``argv[0]`` is none of its actions."""
    if argv[1:] and not argv[1].startswith("-") and argv[1] not in actions:
        raise BokehbenchError(f"There is no '{argv[0]} {argv[1]}'; {nearest(argv[1], actions)}.")


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


def board_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--data``, whose class is imported as soon as it is read: the name in a board alone imports nothing."""
    help = "the board's, where its package registers no short name"
    parser.add_argument("--data", metavar="PACKAGE.CLASS", type=DATA.typed, help=help)


def engaged_by(options: Any, items: int = 0, each: int = 0) -> AbstractContextManager[None]:
    """The workers that ``--scheduler`` and ``--workers`` say, for the length of a ``with``.

    Without either it is this process; with ``each``, one per core, as far as there are so many ``items`` for each.
    """
    usual = Workers.that_pay(items, each) if each else Workers()
    return engaged(Workers(options.scheduler, options.workers or usual.count))


def workers(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add ``--scheduler`` and ``--workers``: who does the work (:class:`bokehbench.cluster.connection.Workers`)."""
    help = "address of a Dask scheduler, or its scheduler file: its workers do the work (docs/cluster.md)"
    parser.add_argument("--scheduler", metavar="ADDRESS", help=help)
    whole(parser, "--workers", 1, 1024, metavar="N", help=f"so many processes on this machine do the work{default}")
