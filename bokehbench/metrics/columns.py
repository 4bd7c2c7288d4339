"""Every column that is declared: in the files of this folder, and by packages that are installed beside ours."""

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import entry_points

import bokehbench.metrics
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.column import Column

GROUP = "bokehbench.columns"


@functools.cache
def columns() -> Mapping[str, Column]:
    """Name -> column, ours in the order of their files, then those of other packages. Starts without torch.

    Raises:
        BokehbenchError: a package's entry point does not load, is no column, or has the name of another.
    """
    found: dict[str, Column] = {}
    for module in pkgutil.iter_modules(bokehbench.metrics.__path__):
        if not module.name.startswith("_"):  # those declare nothing, and load torch or torchmetrics
            loaded = importlib.import_module(f"bokehbench.metrics.{module.name}")
            found |= {column.name: column for column in getattr(loaded, "COLUMNS", ())}
    for entry in entry_points(group=GROUP):
        who = f"the entry point {entry.name} = {entry.value} of the group {GROUP}"
        try:
            offered = entry.load()
            several = (offered,) if isinstance(offered, Column) else tuple(offered)
        except Exception as error:  # whatever a package of somebody else raises
            raise BokehbenchError(f"{who} does not load ({error}): update or remove its package.") from error
        for column in several:
            if not isinstance(column, Column) or column.name in found:
                raise BokehbenchError(f"{who} offers {column!r}, which is no new column: update or remove its package.")
            found[column.name] = column
    return found


def find_column(name: str) -> Column:
    """The column of that name.

    Raises:
        BokehbenchError: it is not declared; the nearest name is in the message.
    """
    if name not in columns():
        raise BokehbenchError(
            f"there is no column '{name}'; {nearest(name, columns())}. A column of another package needs that package."
        )
    return columns()[name]


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
