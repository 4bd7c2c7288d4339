"""Numbers of things in words."""

from collections.abc import Sequence


def counted(count: int, thing: str) -> str:
    """``1 picture``, ``3 pictures``, ``0 pictures``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def some(names: Sequence[str], most: int = 5) -> str:
    """``a, b, c``; of more than ``most`` the first ones, and how many others there are."""
    others = len(names) - most
    return ", ".join(names[:most]) + (f" and {counted(others, 'other')}" if others > 0 else "")
