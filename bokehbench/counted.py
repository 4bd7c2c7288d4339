"""Numbers of things in words."""


def counted(count: int, thing: str) -> str:
    """``1 picture``, ``3 pictures``, ``0 pictures``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
