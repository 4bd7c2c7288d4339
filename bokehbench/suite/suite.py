"""A suite: experiments that are compared on one board."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bokehbench import experiments
from bokehbench.board.identity import slug
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.settings_files import check_shapes
from bokehbench.suite.dependencies import check_needs
from bokehbench.suite.expectation import Expectation, read_expectation
from bokehbench.suite.experiment import Experiment, label

_OPTIONS = Mapping[str, Any] | None
_OPTIONS_OR_NOT = Mapping[str, Any] | bool | None
#: Key -> what it holds.
SUITE_KEYS: dict[str, Any] = {
    "about": str | None, "board": str | None, "experiments": list[str | Mapping[str, Any]] | Literal["all"],
    "fit": _OPTIONS, "test": _OPTIONS, "options": _OPTIONS, "data": _OPTIONS, "config": str | None,
    "columns": list[str] | None, "source": str | None, "expect": list[Mapping[str, Any]] | None,
    "inputs": Mapping[str, str] | None, "exclusive": bool | None,
}  # fmt: skip
EXPERIMENT_KEYS: dict[str, Any] = {
    "name": str | int | None, "model": str, "config": str | None, "checkpoint": str | None, "from": str | None,
    "stage": str | None, "fit": _OPTIONS_OR_NOT, "test": _OPTIONS_OR_NOT, "options": _OPTIONS,
    "published": Mapping[str, float | str | None] | None, "source": str | None,
}  # fmt: skip
DATA_KEYS = {"name": str, "arguments": _OPTIONS}


@dataclass(frozen=True)
class Suite:
    """Experiments, and the board that their results go to (None: no board, no results).

    Attributes:
        about: what the suite shows, printed below its table.
        columns: the board's scores that the table shows; empty = all.
        expect: what the paper says of the experiments.
        inputs: name -> what it is: files that users must give, for which ``{NAME}`` stands in options. Experiments that
            need one that was not given are not run.
        exclusive: it measures time, so that nothing of it may run beside a step on the same machine.
    """

    name: str
    experiments: tuple[Experiment, ...]
    board: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    columns: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    exclusive: bool = False


def read_suite(path: Path) -> Suite:
    """Read and check a suite.

    The file is a mapping: ``board`` (name or folder), ``experiments`` (``all``, or a list of names of methods, short or
    ``PACKAGE.CLASS``, and of mappings with the keys of :class:`Experiment`), ``options`` for every fit and test,
    ``fit`` and ``test`` for these alone, ``config`` (of every fitted experiment that has none), ``columns``, ``source``
    of the published figures, ``expect``, ``inputs``, ``exclusive``, ``data`` (``name`` and ``arguments``, only where
    there is no board: a board says which pictures are tested). The user named the file, so the classes that it names
    are imported.

    Raises:
        BokehbenchError: unknown keys or methods, no experiments, two of the same name, or experiments that need one
            which is not there, has no weights, or needs them in turn.
    """
    content = experiments.read(path)
    check_shapes(content, SUITE_KEYS, str(path))
    check_shapes(content.get("data") or {}, DATA_KEYS, f"{path}, data")
    wanted = content.get("experiments")
    if wanted == "all":
        wanted = sorted(name for name, kind in MODELS.loaded().items() if kind.stands_alone)
    if not isinstance(wanted, list) or not wanted:
        raise BokehbenchError(f"{path} has no list of experiments: give names of methods, or 'experiments: all'.")
    found = tuple(_experiment(entry, content, path) for entry in wanted)
    names = [experiment.name for experiment in found]
    for name in names:
        if names.count(name) > 1:
            raise BokehbenchError(f"{path} has two experiments called '{name}': give one another 'name'.")
    check_needs(found, str(path))
    board = content.get("board")
    if board is not None and content.get("data"):
        raise BokehbenchError(f"{path} has both a board and data: the board says which pictures are tested.")
    expect = tuple(read_expectation(entry, names, str(path)) for entry in content.get("expect") or [])
    return Suite(
        path.stem,
        found,
        str(board) if board is not None else None,
        content.get("data") or {},
        " ".join(str(content.get("about") or "").split()),
        tuple(content.get("columns") or ()),
        expect,
        _inputs(content),
        bool(content.get("exclusive")),
    )


def _experiment(entry: Any, suite: Mapping[str, Any], path: Path) -> Experiment:
    entry = {"model": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict) or "model" not in entry:
        raise BokehbenchError(f"{path}: an experiment is a method's name, or a mapping with 'model', not {entry!r}.")
    where = f"{path}, experiment {entry.get('name', entry['model'])}"
    check_shapes(entry, EXPERIMENT_KEYS, where)
    kind = MODELS.typed(str(entry["model"]), f"{path}, model")
    model = MODELS.name_of(kind)
    both = {**(suite.get("options") or {}), **(entry.get("options") or {})}
    fit, test = ({**both, **(suite.get(verb) or {}), **_mapping(entry.get(verb))} for verb in ("fit", "test"))
    checkpoint = Path(entry["checkpoint"]).expanduser() if entry.get("checkpoint") else None
    if checkpoint is not None and not checkpoint.exists():
        raise BokehbenchError(f"{path}: there is no checkpoint {checkpoint}: correct it, or leave it out to fit.")
    if checkpoint is not None and (entry.get("from") or entry.get("stage")):
        raise BokehbenchError(f"{where}: 'checkpoint' says which weights are tested; leave 'from' and 'stage' out.")
    published = entry.get("published") or {}
    source = str(entry.get("source") or suite.get("source") or "")
    if published and not source:
        raise BokehbenchError(f"{where}: published figures need a 'source', the experiment's or the suite's.")
    return Experiment(
        slug(str(entry["name"])) if entry.get("name") else label(model),
        model,
        entry.get("config") or (suite.get("config") if kind.trainable else None),
        checkpoint,
        fit,
        test,
        entry.get("fit") is not False,
        slug(str(entry["from"])) if entry.get("from") else None,
        entry.get("stage"),
        entry.get("test") is not False,
        {column: _figure(value, where) for column, value in published.items()},
        source,
        _inputs(suite),
    )


def _inputs(suite: Mapping[str, Any]) -> dict[str, str]:
    return {slug(str(name)): str(about) for name, about in (suite.get("inputs") or {}).items()}


def _figure(value: Any, where: str) -> float | None:
    """A published number; ``n/a`` or nothing where the paper's is not available."""
    if value in (None, "n/a"):
        return None
    if isinstance(value, str):
        raise BokehbenchError(f"{where}: a published figure is a number or n/a, not {value!r}.")
    return float(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    """Options of a verb; none where ``false`` or ``true`` stands in their place."""
    return value if isinstance(value, Mapping) else {}
