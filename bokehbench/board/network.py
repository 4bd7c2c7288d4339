"""Which network a row is: the published one, or another, whose name says so. Plain Python: starts without torch."""

from collections.abc import Sequence
from typing import Any

from bokehbench.board.results import Result
from bokehbench.board.seeds import without_hashes


def full_name(result: Result) -> str:
    """The method, and what makes its network another one than the published: ``D2F-R18-64``."""
    return "-".join(filter(None, (result.method, str(result.network.get("name", "")))))


def with_variant(name: str, variant: str) -> str:
    """A method's name with the recipe that it was trained by, where it has one: ``PyNET-w8 (20min)``."""
    return f"{name} ({variant})" if variant else name


def share(result: Result) -> str:
    """Parameters, ``12.3 of 40.4 M`` where the published network has another size; empty where they are not known."""
    if result.parameters is None:
        return ""
    own = f"{result.parameters / 1e6:.3g}"
    published = result.network.get("published_parameters")
    return f"{own} of {published / 1e6:.3g} M" if published and result.network.get("name") else f"{own} M"


def deviations(result: Result) -> str:
    """Every argument that is not the published network's: ``channels 64 (published: 256)``, ...; or ``none``."""
    differs = result.network.get("differs", {})
    said = (f"{key} {_shown(ours)} (published: {_shown(theirs)})" for key, (ours, theirs) in differs.items())
    return ", ".join(said) or "none"


def networks(results: Sequence[Result]) -> list[tuple[str, str, str]]:
    """(name, share of parameters, deviations) of every network that something is published of, each once.

    A row that is put together from trained parts has its variant behind its name, and the parts in place of deviations.
    """
    known = {(full_name(each), share(each), deviations(each)) for each in results if each.network}
    joined = {(with_variant(each.method, each.variant), share(each), _parts(each)) for each in results if _joined(each)}
    return sorted(known | joined)


def _joined(result: Result) -> bool:
    """Put together from trained parts, without a training of its own."""
    return not result.network and bool(result.training.get("origins")) and not result.training.get("stages")


def _parts(result: Result) -> str:
    """``put together: depth DeepLens, renderer compositional``; their trainings are in the result."""
    return "put together: " + ", ".join(f"{role} {part}".strip() for role, part in without_hashes(result).items())


def _shown(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value}"
