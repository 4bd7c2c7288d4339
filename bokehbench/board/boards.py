"""Boards: what is measured, on which pictures, under which protocol. One folder each, ``board.yaml`` by hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bokehbench.board.columns import Column, find_column
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.protocols import Protocol, find_protocol


@dataclass(frozen=True)
class Board:
    """The content of a ``board.yaml``.

    Attributes:
        name, version, title: the version is part of every result's identity; raise it when scores change their meaning.
        about: what the board measures and what it cannot tell, Markdown.
        obtain: how people get the pictures.
        protocol: name of the protocol.
        split: name of the split, as in ``reported.csv``.
        count: pictures of the whole split; results with fewer are incomplete.
        ids: the pictures' names, or None where any ``count`` names will do.
        target_hash: of the targets, or None where these are made or rendered anew.
        columns: scores shown.
        rank_by: the score that ranks and that the win matrix is of.
        data: ``{"name": "ebb", "arguments": {...}}`` for ``verify``; no paths.
        contaminated: weights hash, or ``official METHOD`` for the authors' own weights -> why these do not count.
    """

    name: str
    version: int
    title: str
    about: str
    obtain: str
    protocol: str
    split: str
    count: int
    columns: tuple[str, ...]
    rank_by: str
    ids: frozenset[str] | None = None
    target_hash: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    contaminated: Mapping[str, str] = field(default_factory=dict)

    @property
    def scores(self) -> tuple[Column, ...]:
        """The columns as objects."""
        return tuple(find_column(name) for name in self.columns)

    def contamination(self, result: Result) -> str:
        """Why the weights of a result do not count on this board; empty where they do."""
        official = f"official {result.method}" if result.training.get("official") else ""
        return self.contaminated.get(result.weights_hash, "") or self.contaminated.get(official, "")

    def other_pictures(self, data: Mapping[str, Any]) -> str:
        """The first setting in which ``data`` (of a test) is not this board's, in words; or empty.

        Scenes that are made have the same names whatever their settings. Of pictures that are read the targets' hash
        tells, and folders may have other names.
        """
        wanted = self.data.get("arguments", {}) if self.data and self.target_hash is None else {}
        other = [key for key, value in wanted.items() if key in data and data[key] != value]
        return f"{other[0]} {data[other[0]]} instead of {wanted[other[0]]}" if other else ""

    @property
    def evaluator(self) -> Protocol:
        """The protocol as an object."""
        return find_protocol(self.protocol)


def read_board(folder: Path) -> Board:
    """The board of a folder.

    Raises:
        BokehbenchError: no ``board.yaml``, or one that is not right; says what.
    """
    path = folder / "board.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BokehbenchError(f"{folder} is not a board: it has no readable board.yaml.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BokehbenchError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from error
    try:
        content["columns"] = tuple(content["columns"])
        content["ids"] = _ids(content["ids"]) if content.get("ids") is not None else None
        board = Board(**content)
    except (TypeError, KeyError, ValueError) as error:
        raise BokehbenchError(
            f"{path} has missing or wrong settings: {error}. See docs/leaderboards/index.md."
        ) from error
    if board.name != folder.name:
        raise BokehbenchError(f"{path} says name: {board.name}, but its folder is {folder.name}: make them the same.")
    if board.rank_by not in board.columns:
        raise BokehbenchError(f"{path} ranks by {board.rank_by}, which is not one of its columns.")
    if board.ids is not None and len(board.ids) != board.count:
        raise BokehbenchError(f"{path} lists {len(board.ids)} ids but says count: {board.count}.")
    board.evaluator  # noqa: B018  raises for an unknown protocol
    return board


def _ids(entries: list[Any]) -> frozenset[str]:
    """``["4400-4693", "x"]`` -> the names; quoted, so that YAML leaves leading zeros alone."""
    ids: set[str] = set()
    for entry in entries:
        first, dash, last = str(entry).partition("-")
        span = dash and first.isdigit() and last.isdigit()
        ids.update((str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)) if span else [str(entry)])
    return frozenset(ids)


def folder() -> Path:
    """Where the boards are: ``leaderboards`` here, else the checkout's, else those in the installed package."""
    package = Path(__file__).parents[1]
    places = (Path("leaderboards"), package.parent / "leaderboards", package / "leaderboards")
    return next((place for place in places if place.is_dir()), places[0])


def names() -> list[str]:
    """All boards of :func:`folder`."""
    return sorted(path.parent.name for path in folder().glob("*/board.yaml"))


def find(name: str | Path, writable: bool = False) -> Path:
    """The folder of a board: a path, or the name of one of ours.

    With ``writable`` a board that lies in the installed package is first copied to ``leaderboards/`` here, so that
    results are not lost with the next installation.

    Raises:
        BokehbenchError: there is no such board.
    """
    for candidate in (Path(name), folder() / name):
        if (candidate / "board.yaml").is_file():
            break
    else:
        raise BokehbenchError(f"There is no board '{name}' in {folder()}; {nearest(Path(name).name, names())}.")
    if writable and candidate.resolve().parent == Path(__file__).parents[1] / "leaderboards":
        own = Path("leaderboards") / candidate.name
        shutil.copytree(candidate, own, dirs_exist_ok=True)
        return own
    return candidate
