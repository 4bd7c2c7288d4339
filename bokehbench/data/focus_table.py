"""Focus and aperture per picture, from a CSV."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from bokehbench.counted import some
from bokehbench.data.folders import Record, stem_of
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import read_text

USUAL_NAME = "focus_aperture.csv"
COLUMNS = ("name", "focus", "aperture")


@dataclass(frozen=True)
class Row:
    """A picture's focus (disparity) and aperture (pixels of that picture); None = unknown. ``line`` of the file."""

    line: int
    name: str
    focus: float | None
    aperture: float | None


@dataclass(frozen=True)
class FocusTable:
    """Rows of a table, in the file's order."""

    path: Path
    rows: tuple[Row, ...] = ()

    @classmethod
    def find(cls, root: Path, given: str | None) -> FocusTable:
        """The table ``given`` relative to ``root``, else ``focus_aperture.csv`` there, else an empty one.

        Commas, semicolons (then with decimal commas, too) or tabs stand between cells. Names of columns may be in
        capitals; blanks around cells and names do not count.

        Raises:
            BokehbenchError: ``given`` is not there; unknown or missing columns; a cell that is not a finite number.
        """
        path = root / (given or USUAL_NAME)
        if path.is_file():
            return cls(path, tuple(_rows(path)))
        if given is not None:
            raise BokehbenchError(f"--data.table {path} is not a file: give a CSV, relative to --data.root.")
        return cls(path)

    def applied(self, records: Sequence[Record]) -> list[Record]:
        """The records with the focus and aperture that the table knows."""
        known = {row.name: row for row in self.rows}
        found = [(record, known.get(record.name)) for record in records]
        return [replace(each, focus=row.focus, aperture=row.aperture) if row else each for each, row in found]

    def problems(self, names: Set[str]) -> list[str]:
        """One sentence per row that names none of ``names``, comes twice, or is out of range."""
        times = Counter(row.name for row in self.rows)
        impossible = [r for r in self.rows if not 0 <= (r.focus or 0) <= 1 or (r.aperture or 0) < 0]
        return [
            *(f"{self.path}: '{n}' is no picture's name: correct or remove the row." for n in times if n not in names),
            *(f"{self.path}: '{name}' has two rows: keep one." for name, count in times.items() if count > 1),
            *(
                f"{self.path}, line {row.line}: '{row.name}' has a focus outside [0, 1] or a negative aperture: "
                "correct it."
                for row in impossible
            ),
        ]


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a file; BokehbenchError as of :meth:`FocusTable.find`."""
    text = read_text(path)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        table = [(lines.line_num, [cell.strip() for cell in line]) for line in lines if any(map(str.strip, line))]
    except csv.Error as error:
        raise BokehbenchError(f"{path}, line {lines.line_num}: is no row of a table ({error}): correct it.") from error
    heads = [head.lower() for head in table[0][1]] if table else []
    while heads and not heads[-1]:  # a separator at the end of every line
        heads.pop()
    for head in heads:
        if head not in COLUMNS or heads.count(head) > 1:
            why = "comes twice" if head in COLUMNS else f"is unknown; {nearest(head, COLUMNS)}"
            raise BokehbenchError(f"{path}: the column '{head}' {why}: rename or remove it.")
    if lacking := [column for column in COLUMNS if column not in heads]:
        raise BokehbenchError(
            f"{path}: cannot be read as a table, it has no column {some(lacking)}: its first line must be "
            f"{','.join(COLUMNS)}; cells that are not known stay empty."
        )
    for line, cells in table[1:]:
        if len(cells) < len(heads) or any(cells[len(heads) :]):
            raise BokehbenchError(f"{path}, line {line}: has {len(cells)} cells for {len(heads)} columns: correct it.")
        row = dict(zip(heads, cells, strict=False))
        values = (_number(path, line, row, column, separator) for column in COLUMNS[1:])
        yield Row(line, stem_of(row["name"]), *values)


def _number(path: Path, line: int, row: dict[str, str], column: str, separator: str) -> float | None:
    """A cell's number, None where it is empty."""
    text = row[column] if separator == "," else row[column].replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BokehbenchError(
            f"{path}, line {line}: cannot be read as a table, the {column} of '{row['name']}' is '{row[column]}', "
            "which is no finite number: correct it, or leave the cell empty."
        )
    return value
