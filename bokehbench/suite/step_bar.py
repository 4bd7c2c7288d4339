"""The progress bar of long runs whose steps are processes of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

LINE = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"


class StepBar(tqdm):
    """A bar over ``total`` steps that moves inside a step, too: each half second on a terminal, each 30 s in a log."""

    def __init__(self, total: int, name: str, **options: Any) -> None:
        options.setdefault("mininterval", 0.5 if sys.stderr.isatty() else 30.0)
        # miniters: left to itself, tqdm waits after a quick step until as much is done again, which a long fit never is
        super().__init__(total=total, desc=name, bar_format=LINE, miniters=0, **options)

    def move(self, to: float, what: str) -> None:
        """Stand at ``to`` of ``total`` (never back), with ``what`` beside it."""
        self.set_postfix_str(what, refresh=False)
        self.update(max(0.0, to - self.n))

    def reporter(self, start: float, what: str) -> Callable[[float, str], None]:
        """How a step that begins at ``start`` tells its share done and its stage (see :func:`run_step`)."""
        return lambda share, stage: self.move(start + min(share, 1.0), f"{what} {stage}".strip())
