"""Every column that is declared: in the files of this folder, and by packages that are installed beside ours."""

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import bokehbench.metrics
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.column import Column
from bokehbench.registry import OURS, Offer, Registry, installed


def _several(offered: Any) -> tuple[Column, ...]:
    return (offered,) if isinstance(offered, Column) else tuple(offered)


def _wrong(offered: Any) -> str:
    return "" if all(isinstance(each, Column) for each in _several(offered)) else "is no Column"


#: What other packages offer; ours are in the files of their metrics.
REGISTERED: Registry[Column | Iterable[Column]] = Registry("column", "bokehbench.columns", wrong=_wrong)


@functools.cache
def _ours() -> tuple[Column, ...]:
    found: list[Column] = []
    for module in pkgutil.iter_modules(bokehbench.metrics.__path__):
        if not module.name.startswith("_"):  # those declare nothing, and load torch or torchmetrics
            found += getattr(importlib.import_module(f"bokehbench.metrics.{module.name}"), "COLUMNS", ())
    return tuple(found)


@functools.lru_cache(maxsize=4)
def _declared(offers: tuple[Offer, ...]) -> Mapping[str, list[tuple[Column, str]]]:
    """Name -> its columns, each with whose it is."""
    found = {column.name: [(column, OURS)] for column in _ours()}
    for offer in offers:
        with suppress(BokehbenchError):  # told where it is asked for, and by `bokehbench doctor`
            for column in _several(REGISTERED.load(offer)):
                found.setdefault(column.name, []).append((column, offer.owner))
    return found


def columns() -> Mapping[str, Column]:
    """Name -> column, ours in the order of their files, then those of other packages. Starts without torch.

    What does not load, or has the name of another, is left out.
    """
    declared = _declared(installed(REGISTERED.group))
    return {name: found[0][0] for name, found in declared.items() if len(found) == 1}


def find_column(name: str) -> Column:
    """The column of that name.

    Raises:
        BokehbenchError: it is not declared (the nearest name is in the message), or by two packages.
    """
    known = columns()
    if name in known:
        return known[name]
    if found := _declared(installed(REGISTERED.group)).get(name):
        owners = " and of ".join(owner for _, owner in found)
        raise BokehbenchError(f"There are {len(found)} columns '{name}', of {owners}: uninstall one of them.")
    broken = "".join(f" {problem}" for problem in REGISTERED.problems())
    raise BokehbenchError(
        f"there is no column '{name}'; {nearest(name, known)}. A column of another package needs that package.{broken}"
    )


def variant_of(name: str) -> Column:
    """A column, or that of which ``name`` is a variant of a method's own: ``coarse_psnr`` is a PSNR.

    Raises:
        BokehbenchError: neither.
    """
    head, underscore, tail = name.partition("_")
    if name in columns() or not underscore:
        return find_column(name)
    of = variant_of(tail)
    return replace(of, name=name, label=f"{of.label}, {head}")
