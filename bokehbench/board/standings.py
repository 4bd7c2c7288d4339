"""Who is where on a board, and why somebody is not ranked: everything that the tables show, computed once."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from bokehbench.board.boards import Board, read_board
from bokehbench.board.identity import slug
from bokehbench.board.network import full_name
from bokehbench.board.reported import Beside, Reported, all_beside, read_reported
from bokehbench.board.results import FLAGS, Result, read_stored
from bokehbench.board.seeds import told_by_seed
from bokehbench.board.statistics import Interval, differences, holm, interval, median, wilcoxon
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.column import Column


@dataclass(frozen=True)
class Row:
    """One result on its board.

    Attributes:
        label: method, with what tells it from others of the same method.
        rank: 1 = best; None where it is not ranked.
        means: column -> mean and interval.
        marks: column -> 1 for the best of the ranked rows, 2 for the second best.
        reason: why it is not ranked, or empty.
    """

    result: Result
    label: str
    rank: int | None
    means: Mapping[str, Interval]
    marks: Mapping[str, int]
    reason: str


@dataclass(frozen=True)
class Standings:
    """A board with everything on it.

    Attributes:
        rows: ranked ones first, best first.
        beside: published scores, with ours where there are any.
        reported: all published figures, scores or not.
        wins: (row's id, column's id) -> share of pictures on which the row has the better ranking score, and p of
            Wilcoxon's test after Holm's correction over all pairs.
        left_out: a sentence for each stored file that is no result.
    """

    board: Board
    rows: tuple[Row, ...]
    beside: tuple[Beside, ...]
    reported: tuple[Reported, ...]
    wins: Mapping[tuple[str, str], tuple[float, float]]
    left_out: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[Row, ...]:
        """Rows with a rank."""
        return tuple(row for row in self.rows if row.rank is not None)

    @property
    def unranked(self) -> tuple[Row, ...]:
        """Rows without."""
        return tuple(row for row in self.rows if row.rank is None)


def read_standings(folder: Path) -> Standings:
    """Compute the standings from the files of a board's folder and nothing else; files that are no results are named.

    Raises:
        BokehbenchError: another file that is not right.
    """
    found, left_out = read_stored(folder)
    return replace(standings(read_board(folder), found, read_reported(folder)), left_out=tuple(left_out))


def standings(board: Board, results: list[Result], reported: list[Reported]) -> Standings:
    """Rank ``results`` by the board's score; flagged ones and those of other versions are listed without a rank."""
    ranking = board.ranking
    means = {r.id: {c.name: mean_of(board, c, r.values(c.name)) for c in board.scores} for r in results}
    reasons = {r.id: reason(board, r) for r in results}

    def order(result: Result) -> tuple[bool, float, str, str]:
        goodness = ranking.goodness(means[result.id][ranking.name].mean)
        return bool(reasons[result.id]), -goodness, result.method.lower(), result.id

    results = sorted(results, key=order)
    ranked = [r for r in results if not reasons[r.id]]
    marks: dict[str, dict[str, int]] = {r.id: {} for r in results}
    for column in board.scores:
        goodness = {r.id: column.goodness(means[r.id][column.name].mean) for r in ranked}
        levels = sorted({value for value in goodness.values() if value > -math.inf}, reverse=True)[:2]
        for id, value in goodness.items():
            if value in levels and len(ranked) > 1:
                marks[id][column.name] = levels.index(value) + 1
    names = labels(results, board.withdrawn)
    places = {r.id: 1 + sum(order(other)[1] < order(r)[1] for other in ranked) for r in ranked}
    rows = tuple(Row(r, names[r.id], places.get(r.id), means[r.id], marks[r.id], reasons[r.id]) for r in results)
    beside = tuple(all_beside(board, reported, results))
    return Standings(board, rows, beside, tuple(reported), _wins(ranked, ranking.name, ranking.goodness))


def mean_of(board: Board, column: Column, values: Mapping[str, float]) -> Interval:
    """Over pictures; the interval over scenes where the board's pictures are grouped by them."""
    if column.median:
        return Interval(median(values.values()), math.nan, math.nan, len(values))
    scenes = [name.split("/")[0] for name in values] if board.scenes else None
    return interval(list(values.values()), scenes)


def reason(board: Board, result: Result) -> str:
    """Why a result is not ranked; empty where it is."""
    reasons = [f"withdrawn: {board.withdrawn[result.id]}"] if result.id in board.withdrawn else []
    if result.board_version != board.version:
        reasons.append(f"measured for version {result.board_version} of this board")
    if board.ranking.may_lack and board.rank_by not in result.columns:
        reasons.append(result.missing.get(board.rank_by, f"no {board.rank_by}"))
    for flag in result.flags:
        if flag == "incomplete":
            reasons.append(f"incomplete: {len(result.per_image)} of {board.count} pictures")
        elif flag == "contaminated" and board.contamination(result):
            reasons.append(f"contaminated: {board.contamination(result)}")
        else:
            reasons.append(f"{flag}: {FLAGS[flag]}")
    return "; ".join(reasons)


def labels(results: Sequence[Result], withdrawn: Collection[str] = ()) -> dict[str, str]:
    """Id -> network and variant, and the board's version where it is an older one.

    Where that is not enough the seed, and where the runs differ in more, the id. Results whose ids are in ``withdrawn``
    make no name of the others longer: where they share one, they say that they are withdrawn.
    """
    newest = max((result.board_version for result in results), default=0)
    groups: dict[tuple[str, str, int, bool], list[Result]] = {}
    for result in results:
        key = full_name(result), result.variant, result.board_version, result.id in withdrawn
        groups.setdefault(key, []).append(result)
    found = {result.id: "" for result in results}
    for (name, variant, version, gone), group in groups.items():
        seeds = len(group) > 1 and told_by_seed(group)
        for result in group:
            notes = [variant, f"seed {result.seed}" if seeds else "", f"version {version}" if version < newest else "",
                     "withdrawn" if gone and (name, variant, version, False) in groups else ""]  # fmt: skip
            label = f"{name} ({', '.join(filter(None, notes))})" if any(notes) else name
            found[result.id] = label if seeds or len(group) == 1 else f"{label} #{result.id[:4]}"
    return found


def find_row(wanted: str, boards: Mapping[Path, Sequence[Result]]) -> tuple[Path, Result]:
    """The result with that label or id, else with that method or beginning of an id (4 or more digits), and its board.

    ``boards``: the folder of each board that is searched, and its results.

    Raises:
        BokehbenchError: none or several.
    """
    rows = [
        (folder, result, label)
        for folder, results in boards.items()
        for result, label in zip(results, labels(results, read_board(folder).withdrawn).values(), strict=True)
    ]
    found = [row for row in rows if wanted in (row[2], row[1].id)] or [
        (folder, result, label)
        for folder, result, label in rows
        if slug(wanted) in (slug(result.method), slug(full_name(result)), slug(label))
        or (len(wanted) >= 4 and result.id.startswith(wanted.lower()))
    ]
    if not found:
        known = {name for _, result, label in rows for name in (result.id, result.method, label)}
        where = ", ".join(folder.name for folder in boards)
        raise BokehbenchError(f"There is no result '{wanted}' on {where}; {nearest(wanted, known)}.")
    if len(found) > 1:
        which = "; ".join(f"{result.id} {label} on {folder.name}" for folder, result, label in found)
        raise BokehbenchError(f"'{wanted}' is not one result: give an id of {which}, or --board where there is one.")
    return found[0][:2]


def _wins(
    ranked: list[Result], column: str, goodness: Callable[[float], float]
) -> dict[tuple[str, str], tuple[float, float]]:
    scores = {r.id: {name: goodness(value) for name, value in r.values(column).items()} for r in ranked}
    gaps = {}
    for a, b in combinations(scores, 2):
        try:
            gaps[a, b] = differences(scores[a], scores[b])
        except BokehbenchError:
            continue  # nothing in common: the cell stays empty
    corrected = holm([wilcoxon(gap) for gap in gaps.values()])
    wins = {}
    for ((a, b), gap), p in zip(gaps.items(), corrected, strict=True):
        wins[a, b], wins[b, a] = (float((gap > 0).mean()), p), (float((gap < 0).mean()), p)
    return wins
