"""Data sets, imported only when asked for: ``DATA["ebb"]`` or ``from bokehbench.data import EBB``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.names import spelt_today

if TYPE_CHECKING:
    from bokehbench.data.base import BokehDataModule

_PLACES = {
    "EBB": "bokehbench.data.ebb",
    "IPhoneDepth": "bokehbench.data.iphone_depth",
    "Pairs": "bokehbench.data.pairs",
    "SyntheticDoF": "bokehbench.data.synthetic_dof",
}


class _DataSets(Mapping[str, "type[BokehDataModule]"]):
    """Short name (class name in lower case) to class; torch is imported at the first look-up, not before."""

    def __getitem__(self, name: str) -> type[BokehDataModule]:
        for class_name in _PLACES:
            if name.lower() == class_name.lower():
                return getattr(import_module(_PLACES[class_name]), class_name)
        raise BokehbenchError(f"There is no data set '{name}': {nearest(name, self)}.")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in set(self)

    def __iter__(self) -> Iterator[str]:
        return (name.lower() for name in _PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


DATA: Mapping[str, type[BokehDataModule]] = _DataSets()
__all__ = ["DATA", "EBB", "IPhoneDepth", "Pairs", "SyntheticDoF", "open_data"]


def open_data(name: str, **options: Any) -> BokehDataModule:
    """The data set of that short name; ``options`` may have former spellings, such as those of stored boards.

    Raises:
        BokehbenchError: no such data set, or an option out of range.
    """
    kind = DATA[name]
    return kind(**spelt_today(options, signature(kind.__init__).parameters))


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return DATA[name.lower()]
    raise AttributeError(f"module 'bokehbench.data' has no attribute '{name}'")
