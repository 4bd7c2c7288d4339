"""Boards: what is measured, on which pictures, under which protocol. One folder each, ``board.yaml`` by hand."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import read_bytes, write_text
from bokehbench.fingerprint import differs
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column
from bokehbench.metrics.matched import MatchedStrength
from bokehbench.metrics.protocols import Protocol, find_protocol
from bokehbench.names import as_first_recorded, first_recorded_today
from bokehbench.settings_files import check_shapes, read_settings

#: Beside ``board.yaml``.
TARGETS = "targets.json"
#: Pictures of a range of ids.
MOST_IDS = 1_000_000


@dataclass(frozen=True)
class Board:
    """The content of a ``board.yaml``.

    Attributes:
        name, version, title: the version is part of every result's identity; raise it when scores change their meaning.
        about: what the board measures and what it cannot tell, in words.
        details: what else its page shows above the ranking, Markdown with headings and tables.
        obtain: how people get the pictures.
        split: name of the split, as in ``reported.csv``.
        count: pictures of the whole split; results with fewer are incomplete.
        ids: the pictures' names, or None where any ``count`` names will do.
        target_hash: of the files of the targets, or None where these are made or rendered.
        rank_by: the score that ranks and that the win matrix is of.
        data: ``{"name": "ebb", "arguments": {...}}`` for ``verify``; no paths.
        contaminated: weights hash, or ``official METHOD`` for the authors' own weights -> why these do not count,
            nor any that were trained from them.
        withdrawn: id of a result -> why it is not ranked: it tests something else, or another took its place. It stays.
        matched: settings of the search by which the strength of every row is matched to the target, as
            :class:`~bokehbench.metrics.matched.MatchedStrength`; empty: the board ranks what was rendered as told.
        scenes: whether pictures named ``SCENE/...`` are of one scene: intervals then draw scenes, not pictures.
        fingerprints: of the targets of a few pictures, by name: ``targets.json``, written by ``leaderboard pin``. They
            hold pictures that are made, and whose bits another processor may round, to the board's.
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
    details: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    contaminated: Mapping[str, str] = field(default_factory=dict)
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    matched: Mapping[str, Any] = field(default_factory=dict)
    scenes: bool = False
    fingerprints: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def scores(self) -> tuple[Column, ...]:
        """The columns as objects."""
        return tuple(find_column(name) for name in self.columns)

    @property
    def ranking(self) -> Column:
        """The column that ranks."""
        return find_column(self.rank_by)

    def contamination(self, result: Result) -> str:
        """Why the weights of a result, or any that they were made from, do not count here; empty where they do."""
        for method, weights_hash, training in result.lineage():
            official = f"official {method}" if training.get("official") else ""
            if why := self.contaminated.get(weights_hash) or self.contaminated.get(official):
                return why
        return ""

    # Other pictures than the board's are refused ---------------------------------------------------------------

    def refuse_settings(
        self,
        data: Mapping[str, Any],
        who: str = "This test",
        defaults: Mapping[str, Any] | None = None,
        whole: bool = True,
    ) -> None:
        """Synthetic scenes have the same names whatever their settings; of files the hash tells.

        Args:
            data: settings, under the names that they first had.
            who: the subject of the error.
            defaults: of the settings that the board does not name, under these names.
            whole: a setting that ``data`` lacks is None; else, as in results of older versions, it is not known.

        Raises:
            BokehbenchError: a setting is not the board's.
        """
        named = self.data.get("arguments") if self.data and self.target_hash is None else None
        wanted = {**(defaults or {}), **as_first_recorded(named)} if named else {}
        for key, value in wanted.items():
            if (whole or key in data) and data.get(key) != value:
                name = first_recorded_today(key)
                raise BokehbenchError(
                    f"{who} is on other pictures than {self.name}'s: {name} {data.get(key)} instead of {value}; "
                    "give the board's setting."
                )

    def refuse_targets(self, target_hash: str, count: int, who: str = "This test") -> None:
        """For targets that are files, ``count`` of them; a part of the split has another hash.

        Raises:
            BokehbenchError: all of the board's pictures, but other files.
        """
        if self.target_hash is not None and count == self.count and target_hash != self.target_hash:
            raise BokehbenchError(
                f"{who} is on other targets than {self.name}'s ({target_hash[:12]}, not {self.target_hash[:12]}): "
                "check that yours are the untouched originals."
            )

    def refuse_fingerprint(self, name: str, found: Sequence[float], who: str = "This test") -> None:
        """For the target called ``name``.

        Raises:
            BokehbenchError: it is one of :attr:`fingerprints`, and another picture than that.
        """
        if name in self.fingerprints and differs(found, self.fingerprints[name]):
            raise BokehbenchError(
                f"{who} is on other pictures than {self.name}'s: the target of {name} is another one than the board's; "
                "give the board's data settings."
            )

    @property
    def evaluator(self) -> Protocol:
        """The protocol as an object."""
        return find_protocol(self.protocol)

    @property
    def search(self) -> MatchedStrength | None:
        """How strength is matched here, or None."""
        return MatchedStrength.read(self.matched, f"The board {self.name}, matched")


def read_board(folder: Path) -> Board:
    """The board of a folder.

    Raises:
        BokehbenchError: no ``board.yaml``, or one that is not right; says what.
    """
    path = folder / "board.yaml"
    if not path.is_file():
        raise BokehbenchError(f"{folder} is not a board: it has no readable board.yaml.")
    content = read_settings(path)
    kinds = {**get_type_hints(Board), "ids": list[str | int] | None}
    kinds.pop("fingerprints")
    check_shapes(content, kinds, str(path))
    needed = [each.name for each in fields(Board) if each.default is MISSING and each.default_factory is MISSING]
    if lacking := [name for name in needed if name not in content]:
        raise BokehbenchError(f"{path} lacks {', '.join(lacking)}: see docs/leaderboards/index.md.")
    content = {key: value for key, value in content.items() if value is not None}
    ids = _ids(content["ids"], str(path)) if "ids" in content else None
    prints = read_fingerprints(folder / TARGETS)
    board = Board(**{**content, "columns": tuple(content["columns"]), "ids": ids, "fingerprints": prints})
    _check_data(board, str(path))
    if board.name != folder.name:
        raise BokehbenchError(f"{path} says name: {board.name}, but its folder is {folder.name}: make them the same.")
    if board.rank_by not in board.columns:
        raise BokehbenchError(f"{path} ranks by {board.rank_by}, which is not one of its columns.")
    if board.ids is not None and len(board.ids) != board.count:
        raise BokehbenchError(f"{path} lists {len(board.ids)} ids but says count: {board.count}.")
    try:
        board.evaluator, board.scores, board.search  # noqa: B018  raises for what is unknown or wrong
    except BokehbenchError as error:
        raise BokehbenchError(f"{path}: {error}") from error
    return board


def read_fingerprints(path: Path) -> dict[str, tuple[float, ...]]:
    """Picture's name -> fingerprint of its target; empty where there is no such file.

    Raises:
        BokehbenchError: not what ``leaderboard pin`` writes.
    """
    try:
        content = json.loads(read_bytes(path).decode())
        return {name: tuple(map(float, values)) for name, values in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise BokehbenchError(f"{path} cannot be read ({error}): write it again with `leaderboard pin`.") from error


def write_fingerprints(folder: Path, fingerprints: Mapping[str, Sequence[float]]) -> Path:
    """``targets.json`` of a board, one picture per line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(list(values))}" for name, values in sorted(fingerprints.items())]
    write_text(folder / TARGETS, "{\n" + ",\n".join(lines) + "\n}\n")
    return folder / TARGETS


def _check_data(board: Board, where: str) -> None:
    """Refuse a ``data`` that is not what :class:`Board` says, and numbers that no board has."""
    check_shapes(board.data, {"name": str, "arguments": Mapping[str, Any]}, f"{where}, data")
    if board.data and "name" not in board.data:
        raise BokehbenchError(f"{where}: 'data' needs the 'name' of a data set.")
    for key, number in (("count", board.count), ("version", board.version)):
        if number < 1:
            raise BokehbenchError(f"{where}: '{key}' is {number}: give 1 or more.")


def _ids(entries: list[Any], where: str) -> frozenset[str]:
    """``["4400-4693", "x"]`` -> the names; quoted, so that YAML leaves leading zeros alone."""
    ids: set[str] = set()
    for entry in entries:
        first, dash, last = str(entry).partition("-")
        span = dash and first.isdecimal() and last.isdecimal() and len(str(entry)) < 40
        if span and int(last) - int(first) >= MOST_IDS:
            raise BokehbenchError(f"{where}: 'ids' has {entry}: give a range of {MOST_IDS} or fewer.")
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
