"""Trainings of one recipe from several seeds: how far a score moves when nothing but chance differs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from bokehbench.board.identity import digest
from bokehbench.board.results import Result

#: Parts of a training record that may differ between runs of one recipe: wall time and device, seed, the recipe's name.
FREE = {"effort", "seed", "experiment"}


def but_for_seed(result: Result, free: Collection[str] = ()) -> str:
    """Hash of everything that two trainings of one recipe share, but for the network's arguments named in ``free``."""
    architecture = {key: value for key, value in result.architecture.items() if key not in free}
    training = {key: value for key, value in result.training.items() if key not in FREE}
    return digest({"method": result.method, "architecture": architecture, "inference": dict(result.inference),
                   "training": training, "pictures": sorted(result.per_image)})  # fmt: skip


def told_by_seed(results: Sequence[Result]) -> bool:
    """True where the seed, and nothing else, tells all of ``results`` apart."""
    return _of_different_seeds(results) and len({but_for_seed(result) for result in results}) == 1


def repeated(results: Iterable[Result]) -> list[list[Result]]:
    """Groups of two or more results that their seed alone tells apart, each by seed, in the order of appearance."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.variant, but_for_seed(result)), []).append(result)
    found = [group for group in groups.values() if len(group) > 1 and _of_different_seeds(group)]
    return [sorted(group, key=lambda result: result.seed or 0) for group in found]


def _of_different_seeds(results: Sequence[Result]) -> bool:
    seeds = {result.seed for result in results}
    return None not in seeds and len(seeds) == len(results)


def over_seeds(results: Sequence[Result], column: str) -> dict[str, float]:
    """Per-image values, averaged over trainings; a picture without a value in one of them has none."""
    each = [result.values(column) for result in results]
    names = sorted(set.intersection(*map(set, each)))
    return {name: math.fsum(values[name] for values in each) / len(each) for name in names}
