"""What a suite found: ours beside the published figures, and what came of the paper's claims."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bokehbench import tables
from bokehbench.board import boards
from bokehbench.board.network import full_name
from bokehbench.board.statistics import interval, mean
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import write_text
from bokehbench.metrics.column import Column
from bokehbench.metrics.columns import find_column
from bokehbench.suite.experiment import Experiment
from bokehbench.suite.runner import Outcome
from bokehbench.suite.suite import Suite


class SuiteTable:
    """The table of a suite whose experiments were tested on a board.

    Args:
        suite: what was run; its ``columns`` are shown, all of the board where there are none.
        outcomes: of those experiments that were run.
        board: folder of the board, or None: no scores, only what became of each.

    Raises:
        BokehbenchError: see :func:`shown_columns`.
    """

    def __init__(self, suite: Suite, outcomes: Sequence[Outcome], board: Path | None) -> None:
        self.suite, self.outcomes, self.board = suite, outcomes, board
        self.experiments = {experiment.name: experiment for experiment in suite.experiments}
        self.columns = shown_columns(suite, board)
        self.tested = [outcome for outcome in outcomes if outcome.result is not None]
        shown = [self.experiments[outcome.experiment] for outcome in outcomes]
        self.published = [c for c in self.columns if any(c.name in experiment.published for experiment in shown)]
        #: where the published figures are printed, each once
        self.sources = list(dict.fromkeys(experiment.source for experiment in shown if experiment.published))

    def text(self) -> str:
        """For the terminal: every experiment, the paper's claims, the failures last."""
        rows = [[outcome.experiment, *self._cells(outcome), _news(outcome)] for outcome in self.tested]
        heads = ["experiment", *self._headings(), ""]
        lines = [tables.aligned(heads, rows, "<" + ">" * (len(heads) - 2) + "<")]
        if self.board is None:
            lines = [f"{o.experiment}   {_news(o)}" for o in self.outcomes if o.failure is None and o.lacks is None]
        lines += [f"Published: {source}." for source in self.sources]
        lines += [f"Expected, {line}" for line in self.claims()]
        if self.board is not None:
            lines.append(f"Board: {self.board / 'table.md'}")
        lines += self.not_run()
        if failed := [outcome for outcome in self.outcomes if outcome.failure is not None]:
            lines.append(
                f"{len(failed)} of {len(self.outcomes)} experiments FAILED; the same command tries them again:"
            )
            lines += [f"  {outcome.experiment}: {outcome.failure}" for outcome in failed]
        return "\n".join(lines)

    def _headings(self) -> list[str]:
        return [head for c in self.columns for head in (c.label, *(["published"] if c in self.published else []))]

    def _cells(self, outcome: Outcome) -> Iterator[str]:
        assert outcome.result is not None
        for column in self.columns:
            yield column.show(mean(outcome.result.values(column.name).values()))
            if column in self.published:
                yield _published(self.experiments[outcome.experiment], column)

    def not_run(self) -> list[str]:
        """Experiments that lack an input, one line each."""
        return [f"not run: {o.experiment}: {o.lacks}" for o in self.outcomes if o.lacks is not None]

    def claims(self) -> list[str]:
        """What came of the paper's claims, one line each; nothing of claims about experiments that were left out."""
        results = {outcome.experiment: outcome.result for outcome in self.tested if outcome.result is not None}
        wanted = set(results) | {o.experiment for o in self.outcomes if o.failure is not None or o.lacks is not None}
        return [claim.judge(results) for claim in self.suite.expect if {claim.better, claim.than} <= wanted]

    def markdown(self) -> str:
        """The same as a page."""
        assert self.board is not None
        board = boards.read_board(self.board)
        rows = [[outcome.experiment, *self._cells(outcome)] for outcome in self.tested]
        lines = [f"# {self.suite.name}", "", *([self.suite.about, ""] if self.suite.about else []),
                 f"Mean over the pictures of `{board.name}` (version {board.version}).", "",
                 tables.markdown(["experiment", *self._headings()], rows)]  # fmt: skip
        lines += [part for source in self.sources for part in ("", f"Published: {source}.")]
        if not_run := self.not_run():
            lines += ["", *(f"- {line}" for line in not_run)]
        if claims := self.claims():
            lines += ["", "Expected:", "", *(f"- {line}" for line in claims)]
        return "\n".join(lines) + "\n"

    def csv(self) -> str:
        """One line per experiment and score: mean, 95 % interval, pictures, published figure, its source."""
        heads = ["experiment", "method", "result", "column", "mean", "low", "high", "pictures", "published", "source"]
        lines = []
        for outcome in self.tested:
            assert outcome.result is not None
            experiment = self.experiments[outcome.experiment]
            for column in self.columns:
                found = interval(list(outcome.result.values(column.name).values()))
                figure = experiment.published.get(column.name)
                lines.append([
                    outcome.experiment, full_name(outcome.result), outcome.result.id, column.name,
                    *(tables.number(value, ".6g") for value in (found.mean, found.low, found.high)), found.count,
                    tables.number(figure, "g"), experiment.source if figure is not None else None,
                ])  # fmt: skip
        return tables.csv_text(heads, lines)

    def write(self, folder: Path) -> None:
        """``table.md`` and ``table.csv`` in ``folder``; nothing where nothing was tested."""
        if self.board is not None and self.tested:
            write_text(folder / "table.md", self.markdown())
            write_text(folder / "table.csv", self.csv())


def shown_columns(suite: Suite, board: Path | None) -> list[Column]:
    """The scores that a suite's table shows.

    Raises:
        BokehbenchError: none of them is on the board.
    """
    if board is None:
        return []
    has = boards.read_board(board).columns
    found = [name for name in suite.columns or has if name in has]
    if not found:
        missing = suite.columns[0]
        raise BokehbenchError(f"The board {board.name} has no column '{missing}'; {nearest(missing, has)}.")
    return [find_column(name) for name in found]


def _published(experiment: Experiment, column: Column) -> str:
    """The paper's figure as it is printed there; blank where there is no such row in the paper."""
    if column.name not in experiment.published:
        return ""
    figure = experiment.published[column.name]
    return "n/a" if figure is None else f"{figure:g}"


def _news(outcome: Outcome) -> str:
    return f"{' and '.join(outcome.news)} done" if outcome.news else "was done before"
