"""Data sets, imported only when asked for: ``DATA["ebb"]`` or ``from bokehbench.data import EBB``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokehbench.names import options_of, spelt_today
from bokehbench.registry import Classes

if TYPE_CHECKING:
    from bokehbench.data.base import BokehDataModule

DATA: Classes[BokehDataModule] = Classes(
    "data set",
    "bokehbench.data",
    {
        "BLB": "bokehbench.data.blb",
        "Control": "bokehbench.data.control",
        "EBB": "bokehbench.data.ebb",
        "IPhoneDepth": "bokehbench.data.iphone_depth",
        "Pairs": "bokehbench.data.pairs",
        "RealBokeh": "bokehbench.data.realbokeh",
        "SyntheticDoF": "bokehbench.data.synthetic_dof",
        "VABD": "bokehbench.data.vabd",
    },
    base="bokehbench.data.base:BokehDataModule",
    option="--data",
)
__all__ = [
    "BLB", "DATA", "EBB", "VABD", "Control", "IPhoneDepth", "Pairs", "RealBokeh", "SyntheticDoF", "board_data",
    "open_data",
]  # fmt: skip
__getattr__ = DATA.named


def board_data(name: str) -> type[BokehDataModule]:
    """The data set that a board names: a short name, or the path of a class that is registered or imported already.

    Raises:
        BokehbenchError: no such data set.
    """
    return DATA.recorded(name, "The board's data") if {".", ":"} & set(name) else DATA[name]


def open_data(name: str, **options: Any) -> BokehDataModule:
    """The data set that a board names; ``options`` may have former spellings, such as those of stored boards.

    Raises:
        BokehbenchError: no such data set, or an option out of range.
    """
    kind = board_data(name)
    return kind(**spelt_today(options, options_of(kind)))
