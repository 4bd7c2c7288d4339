"""Tables of methods (README, docs/results.md) and claims are what the stored results say, and rest on ranked ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bokehbench
from bokehbench import experiments
from bokehbench.board.boards import read_board
from bokehbench.board.network import full_name, share
from bokehbench.board.results import Result, read, read_all
from bokehbench.board.standings import reason
from bokehbench.board.statistics import compare, mean
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import columns
from bokehbench.suite.suite import read_suite

HOME = Path(bokehbench.__file__).parents[1]
NUMBER = r"[+-]?\d+\.\d+"
DIFFERENCE = re.compile(rf"({NUMBER}) \[({NUMBER}), ({NUMBER})\]")


def table(page: Path, first: str) -> Iterator[list[str]]:
    """Cells of the rows of the table whose first heading is ``first``."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip().strip("|").split("|")]


CLAIMS = list(table(HOME / "docs" / "results.md", "claim"))
METHODS = [row for page in ("README.md", "docs/results.md") for row in table(HOME / page, "method")]


def ranked(board: str, method: str) -> Result:
    """The result of the lowest seed of a method on a board."""
    folder = HOME / "leaderboards" / board
    found = [r for r in read_all(folder) if full_name(r) == method and not reason(read_board(folder), r)]
    return min(found, key=lambda result: result.seed or 0)


@pytest.mark.parametrize("cells", METHODS, ids=lambda cells: cells[0])
def test_a_row_of_a_method_is_what_the_boards_say(cells):
    name, network, _, _, *scores = cells
    method = "Identity" if "identity" in name else name.strip("*")
    assert scores
    for board, shown in zip(("synthetic-dof", "synthetic-front"), scores, strict=False):
        result = ranked(board, method)
        psnr, ssim = (mean(result.values(column).values()) for column in ("psnr", "ssim"))
        assert shown == f"{psnr:.2f} dB, {ssim:.3f}"
        paper = "the paper's, " if result.network and not result.network["name"] else ""
        assert network == (paper + share(result) if result.network else "")


def column_labelled(text: str) -> Column:
    return next(column for column in columns().values() if column.label == text)


def verdict(found: list[str]) -> str:
    return f"**{found[0]}**" if len(set(found)) == 1 else "**seeds disagree**"


@pytest.mark.parametrize("cells", CLAIMS, ids=lambda cells: cells[0])
def test_a_claim_is_what_its_results_say(cells):
    _, _, ours, said, seeds, evidence = cells
    linked = [HOME / "docs" / path for path in re.findall(r"\]\((\.\./leaderboards/[^)]+\.json)\)", evidence)]
    results = [read(path) for path in linked]
    board = read_board(linked[0].parents[2])
    assert f"](leaderboards/{board.name}.md)" in evidence
    assert {path.parents[2].name for path in linked} == {board.name}
    assert all(not reason(board, result) for result in results), "a claim rests on ranked results"
    assert all(result.id == path.stem for result, path in zip(results, linked, strict=True))
    column = column_labelled(ours[: DIFFERENCE.search(ours).start()].strip())  # type: ignore[union-attr]
    shown = DIFFERENCE.findall(ours)
    pairs = list(zip(results[::2], results[1::2], strict=True))
    assert len(pairs) == len(shown)
    verdicts, trained = [], []
    for (first, second), figures in zip(pairs, shown, strict=True):
        found = compare(first.values(column.name), second.values(column.name))
        each = found.difference
        assert figures == (column.show(each.mean, signed=True), column.show(each.low), column.show(each.high))
        better = each.mean > 0 if column.better == "higher" else each.mean < 0
        verdicts.append("not decided" if not found.real else "holds" if better else "does not hold")
        trained.append(str(first.seed))
    assert said == verdict(verdicts)
    assert seeds == ", ".join(trained)
    command = re.search(r"`bokehbench benchmark (\S+)`", evidence)
    assert command is not None
    suite = read_suite(experiments.find(command[1], "suite"))
    assert suite.board == board.name
    assert {result.method.lower() for result in results} <= {experiment.model for experiment in suite.experiments}


def test_no_withdrawn_result_is_linked_from_the_pages():
    boards = [read_board(path.parent) for path in (HOME / "leaderboards").glob("*/board.yaml")]
    withdrawn = {id for board in boards for id in board.withdrawn}
    for page in (HOME / "README.md", HOME / "docs" / "results.md"):
        text = page.read_text(encoding="utf-8")
        assert not [id for id in withdrawn if id in text]
