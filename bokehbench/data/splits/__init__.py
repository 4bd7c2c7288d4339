"""Committed lists of ids: one id or one range ``first-last`` per line, ``#`` starts a comment."""

from importlib.resources import files


def read_ids(name: str) -> frozenset[str]:
    """The ids of list ``name``, e.g. ``ebb_val294``."""
    ids: set[str] = set()
    for line in (files(__name__) / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        entry = line.partition("#")[0].strip()
        first, dash, last = entry.partition("-")
        if entry:
            ids.update(map(str, range(int(first), int(last) + 1)) if dash else [entry])
    return frozenset(ids)
