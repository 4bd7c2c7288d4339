"""The table of ``docs/robustness.md``; run as a script, this file writes it."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # the tests' own modules, which pytest finds by itself

from cases import Case, kinds

from bokehbench.tables import markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "robustness.md"
MARKS = "<!-- cases -->\n\n", "\n\n<!-- end -->"


def table(cases: list[Case]) -> str:
    """Kind x verb, how many bad inputs of each, and the sums."""
    counts = Counter((case.kind, case.verb) for case in cases)
    rows = list(dict.fromkeys(case.kind for case in cases))
    verbs = sorted({case.verb for case in cases}, key=lambda verb: (-sum(counts[kind, verb] for kind in rows), verb))
    lines = [[f"`{verb}`", *(str(counts[kind, verb] or "") for kind in rows), str(sum(counts[k, verb] for k in rows))]
             for verb in verbs]  # fmt: skip
    sums = ["all", *(str(sum(counts[kind, verb] for verb in verbs)) for kind in rows), str(len(cases))]
    return markdown(["verb", *rows, "all"], [*lines, sums])


def written() -> str:
    """The table as the page has it."""
    return PAGE.read_text().split(MARKS[0])[1].split(MARKS[1])[0]


if __name__ == "__main__":
    text = PAGE.read_text()
    PAGE.write_text(re.sub(r"<!-- cases -->\n.*<!-- end -->", lambda _: table(kinds()).join(MARKS), text, flags=re.S))
