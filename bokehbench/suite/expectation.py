"""What a paper says of two experiments, and whether our pictures say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bokehbench.board.identity import slug
from bokehbench.board.results import Result
from bokehbench.board.statistics import compare
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.columns import find_column

KEYS = ("better", "than", "column", "about")


@dataclass(frozen=True)
class Expectation:
    """``better`` has the better ``column`` than ``than``; ``about`` says it in the paper's words, or is empty."""

    better: str
    than: str
    column: str
    about: str = ""

    def judge(self, results: Mapping[str, Result]) -> str:
        """One line: holds, does not hold, or is not decided by these pictures; with the numbers behind it.

        It holds where the mean difference per picture points its way and both the bootstrap interval and Wilcoxon's
        test rule out equality at 5 %. ``results`` are those of the experiments, by name.
        """
        claim = self.about or f"{self.better} is better than {self.than}"
        if lacking := [name for name in (self.better, self.than) if name not in results]:
            return f"not tested: {claim} (no result of {', '.join(lacking)})"
        column = find_column(self.column)
        values = [
            {name: column.goodness(value) for name, value in results[one].values(self.column).items()}
            for one in (self.better, self.than)
        ]
        try:
            found = compare(*values)
        except BokehbenchError as error:
            return f"not tested: {claim} ({column.label}: {error})"
        verdict = "not decided" if not found.real else "holds" if found.difference.mean > 0 else "does not hold"
        sign = -1 if column.better == "lower" else 1  # shown as the column is read, not as goodness
        mean, *ends = (sign * value for value in (found.difference.mean, found.difference.low, found.difference.high))
        low, high = sorted(ends)
        shown = [column.show(value, signed=True) for value in (mean, low, high)]
        return (
            f"{verdict}: {claim} ({self.better} - {self.than}, {column.label}: {shown[0]}, 95 % interval {shown[1]} to "
            f"{shown[2]}, better on {found.wins} of {found.difference.count} pictures, Wilcoxon p = "
            f"{found.p_wilcoxon:.2g})"
        )


def read_expectation(entry: Any, names: Sequence[str], where: str) -> Expectation:
    """An entry of a suite's ``expect``.

    Raises:
        BokehbenchError: not ``{better: NAME, than: NAME, column: SCORE}``, or a name that is not in the suite.
    """
    if not isinstance(entry, dict) or not {"better", "than", "column"} <= set(entry) or set(entry) - set(KEYS):
        raise BokehbenchError(
            f"{where}: an expectation is {{better: NAME, than: NAME, column: SCORE, about: SENTENCE}}, not {entry!r}."
        )
    better, than = slug(str(entry["better"])), slug(str(entry["than"]))
    for name in (better, than):
        if name not in names:
            raise BokehbenchError(f"{where}: 'expect' names '{name}'; {nearest(name, list(names))}.")
    return Expectation(better, than, str(entry["column"]), str(entry.get("about") or ""))
