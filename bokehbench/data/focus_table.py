"""Focus and aperture per picture, from a CSV."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from bokehbench.data.folders import Record, stem_of
from bokehbench.errors import BokehbenchError

USUAL_NAME = "focus_aperture.csv"


@dataclass(frozen=True)
class FocusTable:
    """Rows by picture name, columns ``focus`` (disparity) and ``aperture`` (pixels of that picture); NaN = unknown."""

    path: Path
    rows: pd.DataFrame

    @classmethod
    def find(cls, root: Path, given: str | None) -> FocusTable:
        """The table ``given`` relative to ``root``, else ``focus_aperture.csv`` there, else an empty one.

        Raises:
            BokehbenchError: ``given`` is not there, or the file is not such a table.
        """
        path = root / (given or USUAL_NAME)
        if not path.is_file():
            if given is not None:
                raise BokehbenchError(f"--data.table {path} is not a file: give a CSV, relative to --data.root.")
            return cls(path, pd.DataFrame(columns=["focus", "aperture"], dtype=float))
        try:
            rows = pd.read_csv(path, dtype={"name": str})
            rows["name"] = rows["name"].map(stem_of)
            return cls(path, rows.set_index("name").reindex(columns=["focus", "aperture"]).astype(float))
        except (KeyError, ValueError, TypeError, OSError) as error:
            raise BokehbenchError(
                f"{path}: cannot be read as a table with the columns name, focus, aperture ({error}): fix it."
            ) from error

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
