"""The one exception that the command line turns into a sentence instead of a stack trace."""

import difflib
from collections.abc import Iterable
from typing import Any

#: Above any number that an option can mean.
LARGEST = 1e12


class BokehbenchError(Exception):
    """Something that the user can fix.

    The message is one clear sentence (or a short list) that names the file or option and the remedy.
    """


def check_options(prefix: str, *checks: tuple[str, Any, bool, str]) -> None:
    """Raise for the first of (option, value, whether it is right, what to give instead) that is not right.

    ``prefix`` stands before the option: ``--data.``, ``--model.``.
    """
    for option, value, right, remedy in checks:
        if not right:
            raise BokehbenchError(f"{prefix}{option} {value}: give {remedy}.")


def within(option: str, value: Any, least: float, most: float = LARGEST, unit: str = "") -> tuple[str, Any, bool, str]:
    """For :func:`check_options`: a number from ``least`` to ``most``, in ``unit``; never NaN, infinity or a text."""
    right = isinstance(value, int | float) and least <= value <= most
    most_words = "" if most == LARGEST else f", {' '.join(filter(None, (f'{most:g}', unit)))} at most"
    return option, value, right, f"{least:g} or more{most_words}"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name, to end a sentence: ``did you mean 'ebb'? Known: ebb, pairs``, or ``known: ...``."""
    known = sorted(known)
    lowered = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.4)
    hint = f"did you mean '{lowered[close[0]]}'? Known" if close else "known"
    return f"{hint}: {', '.join(known)}"
