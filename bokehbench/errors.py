"""The one exception that the command line turns into a sentence instead of a stack trace."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BokehbenchError(Exception):
    """Something that the user can mend.

    The message is one clear sentence (or a short list) that names the file or option and the remedy.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name, to end a sentence: ``did you mean 'ebb'? Known: ebb, pairs``, or ``known: ...``."""
    known = sorted(known)
    lowered = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.4)
    hint = f"did you mean '{lowered[close[0]]}'? Known" if close else "known"
    return f"{hint}: {', '.join(known)}"
