"""The tables of results in the docs and the README, from the boards; run as a script, this file writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

import bokehbench
from bokehbench import experiments
from bokehbench.board.boards import read_board
from bokehbench.board.identity import slug
from bokehbench.board.network import full_name, share, with_variant
from bokehbench.board.results import Result, place, read_all
from bokehbench.board.standings import reason
from bokehbench.board.statistics import compare, mean
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column
from bokehbench.suite.suite import read_suite
from bokehbench.tables import markdown

HOME = Path(bokehbench.__file__).parents[1]
README, PAGE, BUDGETS = HOME / "README.md", HOME / "docs" / "results.md", HOME / "docs" / "budgets.md"
KNOWN: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "claims.yaml").read_text())
CLAIMS: list[dict[str, Any]] = KNOWN["claims"]
#: The boards of the main table.
DOF, FRONT, LARGE, CONTROL = "synthetic-dof", "synthetic-front", "synthetic-640", "synthetic-control"
#: The suite whose rows it has.
MAIN = "synthetic"


def board_folder(name: str) -> Path:
    return HOME / "leaderboards" / name


def ranked(board: str) -> list[Result]:
    """The results that are ranked."""
    settings = read_board(board_folder(board))
    return [result for result in read_all(board_folder(board)) if not reason(settings, result)]


def first_seed(result: Result) -> int | None:
    """The seed that tells trainings of one row apart: the lowest of those that it is made from."""
    return min((record["seed"] for _, _, record in result.lineage() if "seed" in record), default=None)


def row(board: str, method: str, variant: str) -> dict[int | None, Result]:
    """Seed -> its ranked result on a board."""
    found = [result for result in ranked(board) if (result.method, result.variant) == (method, variant)]
    by_seed = {first_seed(result): result for result in found}
    assert len(by_seed) == len(found), f"{method} {variant} on {board} is there twice with one seed"
    return dict(sorted(by_seed.items(), key=lambda item: item[0] or 0))


def named(text: str) -> tuple[str, str]:
    """``DeepLens corrupted`` -> method and variant."""
    method, _, variant = text.partition(" ")
    return method, variant


def over(results: Iterable[Result], column: str) -> str:
    """The mean of the trainings' scores, with the lowest and the highest of several."""
    shown, means = find_column(column), [mean(result.values(column).values()) for result in results]
    if not means or any(map(math.isnan, means)):
        return "n/a"
    spread = f" ({shown.show(min(means))} to {shown.show(max(means))})" if len(means) > 1 else ""
    return shown.show(math.fsum(means) / len(means)) + spread


def minutes(results: Iterable[Result]) -> str:
    """Of each training, on one line."""
    seconds = [result.training_seconds for result in results]
    return ", ".join("?" if each is None else f"{each / 60:.0f}" for each in seconds) if any(seconds) else ""


def methods(boards: Mapping[str, tuple[str, ...]]) -> str:
    """The rows of the suite :data:`MAIN`: networks, budgets, and columns of several boards; the best first."""
    heads = ["method", "network", "given besides the photo", "seeds", "training, minutes of one core"]
    heads += [
        f"[{board}](leaderboards/{board}.md): {find_column(c).label}" for board, names in boards.items() for c in names
    ]
    rows = []
    for experiment in read_suite(experiments.find(MAIN, "suite")).experiments:
        method = bokehbench.models.MODELS.typed(experiment.model).__name__
        found = {board: row(board, method, experiment.variant) for board in boards}
        trainings = found[DOF]
        if not trainings:
            continue
        one = next(iter(trainings.values()))
        name = with_variant(full_name(one), experiment.variant)
        paper = "the paper's, " if one.network and not one.network["name"] else ""
        seeds = ", ".join(str(seed) for seed in trainings if seed is not None)
        scores = [over(found[board].values(), column) for board, names in boards.items() for column in names]
        network = paper + share(one) if one.network else ""
        given = KNOWN["given"].get(experiment.model, "")
        known = [f"**{name}**" if one.network else name, network, given, seeds, minutes(trainings.values())]
        rows.append(([*known, *scores], mean(one.values("psnr").values())))
    return markdown(heads, [cells for cells, _ in sorted(rows, key=lambda each: -each[1])])


#: Of a table of claims.
HEADS = ["claim", "the paper", "difference per picture [95 %], each seed", "verdict", "results"]


def claims() -> str:
    """Every claim that was tested, group by group."""
    parts = []
    for group in CLAIMS:
        board = group.get("board") or read_suite(experiments.find(group["suite"], "suite")).board
        rows = [cells for claim in group["claims"] if (cells := judged(board, claim))]
        if rows:
            command = f"`bokehbench benchmark {group['suite']}" + (f" --board {board}`" if "board" in group else "`")
            parts += [f"**{group['title']}** ([{board}](leaderboards/{board}.md), {command})", markdown(HEADS, rows)]
    return "\n\n".join(parts)


def judged(board: str, claim: Mapping[str, str]) -> list[str]:
    """The cells of a claim; none where there are no results."""
    column = find_column(claim["column"])
    first, second = (row(board, *named(claim[key])) for key in ("first", "second"))
    pairs = [(one, other) for seed, one in first.items() if (other := second.get(seed) or second.get(None))]
    if not pairs:
        return []
    compared = [compare(one.values(column.name), other.values(column.name)) for one, other in pairs]
    shown = [f"{column.show(each.difference.mean, signed=True)} [{column.show(each.difference.low)}, "
             f"{column.show(each.difference.high)}]" for each in compared]  # fmt: skip
    links = [f"{link(board, one)} - {link(board, other)}" for one, other in pairs]
    return [
        claim["claim"],
        claim["paper"],
        f"{column.label} {', '.join(shown)}",
        verdict(column, compared),
        ", ".join(links),
    ]


def verdict(column: Column, compared: list[Any]) -> str:
    """What two seeds say; one alone decides nothing."""
    sign = 1 if column.better == "higher" else -1
    found = ["not decided" if not each.real else "holds" if sign * each.difference.mean > 0 else "does not hold"
             for each in compared]  # fmt: skip
    if len(found) < 2:
        return f"one seed: {found[0]}"
    return f"**{found[0]}**" if len(set(found)) == 1 else "**seeds disagree**"


def link(board: str, result: Result) -> str:
    path = place(board_folder(board), result).relative_to(HOME)
    return f"[`{result.id[:6]}`](../{path.as_posix()})"


def budgets() -> str:
    """Of every group of claims: what its trainings took."""
    rows = []
    for group in CLAIMS:
        suite = read_suite(experiments.find(group["suite"], "suite"))
        board = group.get("board") or suite.board
        wanted = dict.fromkeys(claim[key] for claim in group["claims"] for key in ("first", "second"))
        for name in wanted:
            found = row(board, *named(name))
            trained = [result for result in found.values() if result.training_seconds]
            if trained:
                rows.append(
                    [f"`{group['suite']}`", name, ", ".join(str(s) for s in found), minutes(trained), steps(trained[0])]
                )
    rows = list({tuple(cells): cells for cells in rows}.values())
    return markdown(["suite", "row", "seeds", "minutes of one core, whole chain", "steps"], rows)


def steps(result: Result) -> str:
    """Stages and their steps, of all trainings that the row is made from."""
    found: dict[str, int] = {}
    for _, _, record in result.lineage():
        for name, stage in record.get("stages", {}).items():
            found[name] = found.get(name, 0) + int(stage.get("steps_done", stage["steps"]))
    return ", ".join(f"{name} {count:,}" for name, count in found.items())


def main_table() -> str:
    """All methods on the four boards of synthetic scenes."""
    return methods({DOF: ("psnr", "ssim"), FRONT: ("psnr",), LARGE: ("psnr",), CONTROL: ("dose_error",)})


def short_table() -> str:
    """The same on the first of them, for the README."""
    return methods({DOF: ("psnr", "ssim")}).replace("](leaderboards", "](docs/leaderboards")


#: (page, name between its marks) -> what makes the table.
TABLES = {
    (README, "methods"): short_table,
    (PAGE, "methods"): main_table,
    (PAGE, "claims"): claims,
    (BUDGETS, "budgets"): budgets,
}


def place_of(name: str) -> re.Pattern[str]:
    """Where a table stands in its page."""
    return re.compile(rf"(?<=<!-- {slug(name)} -->\n\n).*?(?=\n\n<!-- end -->)", re.S)


if __name__ == "__main__":
    for (path, name), made in TABLES.items():
        text = path.read_text(encoding="utf-8")
        path.write_text(place_of(name).sub(lambda _, made=made: made(), text, count=1), encoding="utf-8")
