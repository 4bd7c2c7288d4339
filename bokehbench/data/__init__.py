"""Data sets, imported only when asked for: ``DATA["ebb"]`` or ``from bokehbench.data import EBB``."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from bokehbench.names import spelt_today
from bokehbench.registry import Registry

if TYPE_CHECKING:
    from bokehbench.data.base import BokehDataModule

DATA: Registry[BokehDataModule] = Registry(
    "data set",
    {
        "EBB": "bokehbench.data.ebb",
        "IPhoneDepth": "bokehbench.data.iphone_depth",
        "Pairs": "bokehbench.data.pairs",
        "SyntheticDoF": "bokehbench.data.synthetic_dof",
    },
)
__all__ = ["DATA", "EBB", "IPhoneDepth", "Pairs", "SyntheticDoF", "open_data"]
__getattr__ = DATA.named


def open_data(name: str, **options: Any) -> BokehDataModule:
    """The data set of that short name; ``options`` may have former spellings, such as those of stored boards.

    Raises:
        BokehbenchError: no such data set, or an option out of range.
    """
    kind = DATA[name]
    return kind(**spelt_today(options, signature(kind.__init__).parameters))
