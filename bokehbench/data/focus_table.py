"""Focus and aperture per picture, from a CSV."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bokehbench.data.folders import Record, stem_of
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.files import read_text

USUAL_NAME = "focus_aperture.csv"
COLUMNS = ("name", "focus", "aperture")


@dataclass(frozen=True)
class FocusTable:
    """Rows by picture name, columns ``focus`` (disparity) and ``aperture`` (pixels of that picture); NaN = unknown."""

    path: Path
    rows: pd.DataFrame

    @classmethod
    def find(cls, root: Path, given: str | None) -> FocusTable:
        """The table ``given`` relative to ``root``, else ``focus_aperture.csv`` there, else an empty one.

        Between cells stand commas, tabs, or semicolons (numbers may then have decimal commas). Capitals in the names of
        columns, and blanks around cells, do not count.

        Raises:
            BokehbenchError: ``given`` is not there; unknown or missing columns; a cell that is not a finite number.
        """
        path = root / (given or USUAL_NAME)
        if path.is_file() or (given is None and os.path.lexists(path)):
            return cls(path, _read(path))
        if given is not None:
            raise BokehbenchError(f"--data.table {path} is not a file: give a CSV, relative to --data.root.")
        return cls(path, pd.DataFrame(columns=COLUMNS[1:], dtype=float))

    def applied(self, records: Sequence[Record]) -> list[Record]:
        """The records with the focus and aperture that the table knows."""
        known = self.rows.astype(object).where(self.rows.notna(), None)
        return [
            replace(record, **known.loc[[record.name]].iloc[0]) if record.name in known.index else record
            for record in records
        ]

    def problems(self, names: Set[str]) -> list[str]:
        """One sentence per row that names none of ``names``, comes twice, or is out of range."""
        rows = self.rows
        impossible = rows.index[(rows["focus"] < 0) | (rows["focus"] > 1) | (rows["aperture"] < 0)]
        strangers = [name for name in rows.index.unique() if name not in names]
        return [
            *(f"{self.path}: '{n}' is no picture's name: correct or remove the row." for n in strangers),
            *(f"{self.path}: '{n}' has two rows: keep one." for n in rows.index[rows.index.duplicated()]),
            *(f"{self.path}: '{n}' has a focus outside [0, 1] or a negative aperture: correct it." for n in impossible),
        ]


def _read(path: Path) -> pd.DataFrame:
    """The rows of a file; BokehbenchError as of :meth:`FocusTable.find`."""
    text = read_text(path)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with more cells, which it would cut
            cells = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise BokehbenchError(f"{path}: cannot be read as a table ({str(error).strip()}): correct it.") from error
    cells = cells.fillna("").apply(lambda column: column.str.strip()).rename(columns=lambda head: head.strip().lower())
    cells = cells.drop(columns=[head for head in cells if head.startswith("unnamed:") and not cells[head].any()])
    if unknown := [head for head in cells if head not in COLUMNS]:
        hint = nearest(unknown[0], COLUMNS)
        raise BokehbenchError(f"{path}: the column '{unknown[0]}' is unknown ({hint}): rename or remove it.")
    if lacking := [column for column in COLUMNS if column not in cells]:
        raise BokehbenchError(
            f"{path}: has no column '{lacking[0]}': its first line must be {','.join(COLUMNS)}; where a value is not "
            "known the cell stays empty."
        )
    rows = pd.DataFrame(index=cells["name"].map(stem_of))
    for column in COLUMNS[1:]:
        found = cells[column].str.replace(",", ".") if separator != "," else cells[column]
        rows[column] = pd.to_numeric(found, errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(~np.isfinite(rows[column]) & (found != "").to_numpy())
        if len(wrong):
            name, cell = cells["name"].iloc[wrong[0]], found.iloc[wrong[0]]
            raise BokehbenchError(
                f"{path}: the {column} of '{name}' in row {wrong[0] + 1} is '{cell}', which is no finite number: "
                "correct it, or leave the cell empty."
            )
    return rows
