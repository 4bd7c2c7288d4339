"""A validation split for collections that come without one."""

from __future__ import annotations

from bokehbench.data.folders import Record, seeded_split

#: With fewer training pictures than this, none is taken away for validation.
FEWEST = 10


def hold_out(train: list[Record], fraction: float, seed: int) -> tuple[list[Record], list[Record], list[str]]:
    """(training, validation, notes): ``fraction`` of ``train`` drawn by ``seed``; all of it twice where it is small."""
    if len(train) < FEWEST or fraction == 0:
        reason = "val_fraction is 0" if fraction == 0 else f"fewer than {FEWEST} are here"
        return train, train, [f"validation uses the {len(train)} training pictures themselves, as {reason}."]
    held, rest = seeded_split(train, fraction, seed)
    return rest, held, []
