"""Tables as Markdown, as aligned text and as CSV: every table that is printed or written comes from here.

Starts without torch.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

#: What text from a user could break a Markdown page with, besides the bar of a table.
MARKUP = "|`*_\\<"
#: What breaks a cell of a Markdown table, or is HTML.
CELL = "|<\\"
#: Text that a spreadsheet takes for a formula: by its first sign, unless it is a number.
FORMULA = re.compile(r"(?![+-]?([\d.]+(e[+-]?\d+)?|inf|nan)$)\s*[=+@\t\r\n-]")


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], special: str = CELL) -> str:
    """A Markdown table, without a line break at its end; a line break inside a cell becomes a space.

    Args:
        heads: of the columns.
        rows: cells, as many per row as there are heads.
        special: signs that get a backslash in every cell; :data:`MARKUP` where cells are a user's own words.
    """
    escaped = [[markdown_cell(cell, special) for cell in row] for row in (heads, *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (escaped[0], ["---"] * len(heads), *escaped[1:]))


def markdown_cell(text: str, special: str = CELL) -> str:
    """``text`` for a cell of a Markdown table: in one line, and with a backslash before each sign of ``special``."""
    return escape(" ".join(text.splitlines()), special)


def escape(text: str, special: str = MARKUP) -> str:
    """``text`` with a backslash before each sign of ``special``."""
    return "".join(f"\\{sign}" if sign in special else sign for sign in text)


def aligned(heads: Sequence[str], rows: Iterable[Sequence[str]], align: str = "<", mark: int | None = None) -> str:
    """A table for a terminal: columns as wide as their widest cell, two spaces apart, no spaces at line ends.

    Args:
        heads: of the columns.
        rows: cells, as many per row as there are heads.
        align: ``<`` or ``>`` for each column; the last sign holds for all columns that follow.
        mark: the row (0 = the first) that gets a star before it; all others are then indented by one space.
    """
    lines = [list(heads), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = align.ljust(len(widths), align[-1])
    padded = [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True)).rstrip()
        for line in lines
    ]
    if mark is not None:
        padded = [("*" if number == mark + 1 else " ") + line for number, line in enumerate(padded)]
    return "\n".join(padded)


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV file's content with ``\\n`` at line ends; None is an empty cell, floats have all their digits.

    Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers do not.
    """
    file = io.StringIO()
    lines = [[f"'{cell}" if FORMULA.match(str(cell or "")) else cell for cell in row] for row in (heads, *rows)]
    csv.writer(file, lineterminator="\n").writerows(lines)
    return file.getvalue()


def number(value: float | None, form: str = ".6f") -> str:
    """``value`` in the format ``form``; empty where it is None or NaN."""
    return "" if value is None or math.isnan(value) else format(value, form)
