"""A suite: experiments that are compared on one board."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bokehbench import experiments
from bokehbench.benchmark.identity import slug
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS

SUITE_KEYS = ("about", "board", "experiments", "fit", "test", "options", "data")
EXPERIMENT_KEYS = ("name", "model", "config", "checkpoint", "fit", "test", "options")


@dataclass(frozen=True)
class Experiment:
    """One row to be: a method, how it is fitted, how it is tested.

    Attributes:
        name: unique in the suite; the folder of its work.
        model: short name.
        config: configuration file of the fit, or None: the method's quick recipe.
        checkpoint: weights to test, or None: fit first (a baseline has nothing to fit).
        fit, test: options of these verbs, ``{"model.rendering.steps": 100}``.
    """

    name: str
    model: str
    config: str | None = None
    checkpoint: Path | None = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        """Whether a fit comes before the test."""
        return self.checkpoint is None and MODELS[self.model].trainable

    def fit_words(self) -> list[str]:
        """Command line of the fit, without folders."""
        return [*self._start(), *words(self.fit)]

    def test_words(self, own_data: bool) -> list[str]:
        """Command line of the test, without folders and checkpoint; ``own_data``: on the pictures of the recipe."""
        return [*(self._start() if own_data else ["--model", self.model]), *words(self.test)]

    def _start(self) -> list[str]:
        return ["--model", self.model, *(["--config", self.config] if self.config else [])]


@dataclass(frozen=True)
class Suite:
    """Experiments, and the board that their results go to (None: no board, no results)."""

    name: str
    experiments: tuple[Experiment, ...]
    board: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def words(options: Mapping[str, Any]) -> list[str]:
    """``{"data.size": 64, "data": "ebb"}`` -> ``["--data=ebb", "--data.size=64"]``; None leaves an option out."""
    return [
        f"--{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in sorted(options.items())
        if value is not None
    ]


def fingerprint(content: list[str]) -> str:
    """Eight hex digits that change with the command line."""
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:8]


def find_suite(name: str) -> Path:
    """A suite's file: a path, or the bare name of one of ours (``quick``).

    Raises:
        BokehbenchError: neither.
    """
    folder = experiments.folder() / "suites"
    for candidate in (Path(name), folder / name, folder / f"{name}.yaml"):
        if candidate.is_file():
            return candidate
    raise BokehbenchError(
        f"There is no suite '{name}'; {nearest(Path(name).stem, [path.stem for path in folder.glob('*.yaml')])}."
    )


def read_suite(path: Path) -> Suite:
    """Read and check a suite.

    The file is a mapping: ``board`` (name or folder), ``experiments`` (``all``, or a list of names of methods and of
    mappings with the keys of :class:`Experiment`), ``options`` for every fit and test, ``fit`` and ``test`` for these
    alone, ``data`` (``name`` and ``arguments``, only where there is no board: a board says which pictures are tested).

    Raises:
        BokehbenchError: unknown keys or methods, no experiments, or two of the same name.
    """
    content = experiments.read(path)
    _known(content, SUITE_KEYS, str(path))
    wanted = content.get("experiments")
    if wanted == "all":
        wanted = sorted(MODELS)
    if not isinstance(wanted, list) or not wanted:
        raise BokehbenchError(f"{path} has no list of experiments: give names of methods, or 'experiments: all'.")
    found = tuple(_experiment(entry, content, path) for entry in wanted)
    names = [experiment.name for experiment in found]
    for name in names:
        if names.count(name) > 1:
            raise BokehbenchError(f"{path} has two experiments called '{name}': give one another 'name'.")
    board = content.get("board")
    if board is not None and content.get("data"):
        raise BokehbenchError(f"{path} has both a board and data: the board says which pictures are tested.")
    return Suite(path.stem, found, str(board) if board is not None else None, content.get("data") or {})


def _experiment(entry: Any, suite: Mapping[str, Any], path: Path) -> Experiment:
    entry = {"model": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict) or "model" not in entry:
        raise BokehbenchError(f"{path}: an experiment is a method's name, or a mapping with 'model', not {entry!r}.")
    _known(entry, EXPERIMENT_KEYS, f"{path}, experiment {entry.get('name', entry['model'])}")
    model = str(entry["model"]).lower()
    if model not in MODELS:
        raise BokehbenchError(f"{path}: there is no method '{model}'; {nearest(model, MODELS)}.")
    both = {**(suite.get("options") or {}), **(entry.get("options") or {})}
    fit, test = ({**both, **(suite.get(verb) or {}), **(entry.get(verb) or {})} for verb in ("fit", "test"))
    checkpoint = Path(entry["checkpoint"]).expanduser() if entry.get("checkpoint") else None
    if checkpoint is not None and not checkpoint.is_file():
        raise BokehbenchError(f"{path}: there is no checkpoint {checkpoint}: correct it, or leave it out to fit.")
    return Experiment(slug(str(entry.get("name", model))), model, entry.get("config"), checkpoint, fit, test)


def _known(content: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in content:
        if key not in keys:
            raise BokehbenchError(f"{where}: there is no setting '{key}'; {nearest(str(key), keys)}.")
