"""Counts, sizes, keys and notes of every split."""

from typing import Any

from bokehbench.commands.data.check import refuse_nothing
from bokehbench.data.base import BokehDataModule


def add_options(parser: Any) -> None:
    """It has none of its own."""


def run(data: BokehDataModule, options: Any) -> None:
    """Print them."""
    from bokehbench.data.describe import describe

    print(describe(data))
    refuse_nothing(data)
