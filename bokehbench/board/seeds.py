"""Trainings of one recipe from several seeds: how far a score moves when nothing but chance differs."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bokehbench.board.identity import digest
from bokehbench.board.results import Result
from bokehbench.names import comparable

#: Parts of a training record, and of those of its origins, that may differ between runs of one recipe: wall time and
#: device, seed, code, the weights' hash, the recipe's name.
FREE = {"effort", "seed", "code", "weights_hash", "experiment"}


def but_for_seed(result: Result, free: Collection[str] = ()) -> str:
    """Hash of everything that two trainings of one recipe share, but for the network's arguments named in ``free``."""
    architecture = {k: v for k, v in without_hashes(result).items() if k not in free}
    return digest({"method": result.method, "architecture": architecture, "inference": comparable(result.inference),
                   "training": _shared(comparable(result.training)), "pictures": sorted(result.per_image)})  # fmt: skip


def _shared(record: Any) -> Any:
    """A training record without what is :data:`FREE`, at any depth."""
    if isinstance(record, Mapping):
        return {key: _shared(value) for key, value in record.items() if key not in FREE}
    return [_shared(each) for each in record] if isinstance(record, list | tuple) else record


def without_hashes(result: Result) -> dict[str, Any]:
    """The network's arguments, without the first digits of hashes by which a combination names its parts."""
    hashes = [weights for _, weights, _ in result.lineage() if weights]
    return {key: _unnamed(value, hashes) for key, value in comparable(result.architecture).items()}


def _unnamed(value: Any, hashes: Collection[str]) -> Any:
    for weights in hashes if isinstance(value, str) else ():
        value = value.replace(weights[:8], "")
    return value


def seeds_of(result: Result) -> str:
    """Of the training, or of all the trainings that a combination is made from; "-" where nothing was drawn."""
    told = {training["seed"] for _, _, training in result.lineage() if "seed" in training}
    return ", ".join(map(str, sorted(told if result.seed is None else {result.seed}))) or "-"


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
