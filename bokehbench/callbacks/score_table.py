"""Scores of a test: a table on the screen, one row per picture in a CSV."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch.distributed
from pytorch_lightning import LightningModule, Trainer

from bokehbench.batch import f_numbers_of
from bokehbench.counted import counted, some
from bokehbench.errors import BokehbenchError
from bokehbench.f_numbers import grouped, written
from bokehbench.files import write_text
from bokehbench.metrics.columns import variant_of
from bokehbench.metrics.matched import told_and_found
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.sample import Tried
from bokehbench.models.base import BokehModel
from bokehbench.run_folder import InRunFolder
from bokehbench.tables import aligned, csv_text

IDENTITY = "identity_"
F_NUMBER = "f_number"
Row = Mapping[str, Any]


class ScoreTable(InRunFolder):
    """Collect per-image scores of ``test``, print their means beside the identity baseline's, write ``test.csv``.

    Means are of per-image values: pooling the squared error first moves PSNR by 1.8 dB on the same pictures. Where each
    picture's best aperture was searched, all that were tried are in ``matched.csv``.

    Args:
        columns: measured besides what the method reports, under the default protocol.
    """

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self.measurement = Measurement.named(columns)
        self.rows: list[Row] = []
        self.tried: dict[str, Tried] = {}

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.rows, self.tried = [], {}

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *args: Any
    ) -> None:
        """Keep the rows of this process."""
        assert isinstance(pl_module, BokehModel)
        scores = dict(outputs["scores"])
        if self.measurement.columns:
            scores |= pl_module.scores(outputs["sample"], batch["image"], self.measurement)
        values = {name: each.tolist() for name, each in scores.items()}
        f_numbers = f_numbers_of(batch)
        self.tried |= dict(zip(outputs["name"], outputs["sample"].tried or (), strict=False))
        for number, name in enumerate(outputs["name"]):
            known = {F_NUMBER: f_numbers[name]} if name in f_numbers else {}
            self.rows.append({"name": name, **known, **{score: each[number] for score, each in values.items()}})

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gather over processes, print, write."""
        rows, tried = self.rows, self.tried
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, (rows, tried))
            rows = [row for part in gathered for row in part[0]]
            tried = {name: each for part in gathered for name, each in part[1].items()}
        if not trainer.is_global_zero or not rows:
            return
        rows = sorted(rows, key=lambda row: row["name"])
        path = self.run_folder / "test.csv"
        heads = list(dict.fromkeys(key for row in rows for key in row))
        write_text(path, csv_text(heads, [[row.get(key) for key in heads] for row in rows]))
        assert isinstance(pl_module, BokehModel)
        print(summary(rows, pl_module.label))
        for key in _scores(rows):
            if without := [row["name"] for row in rows if math.isnan(row.get(key, math.nan))]:
                print(f"{_label(key)}: n/a for {some(without)}, too small for it or without anything that it scores.")
        share = getattr(trainer.datamodule, "completeness", {}).get("test")  # type: ignore[attr-defined]
        if share is not None and not share.complete:
            print(f"INCOMPLETE: {share.found} of the split's {share.expected} pictures are there: not comparable.")
        print(f"Per-image scores: {path}")
        if tried:
            heads = ["name", "aperture", "focus", "ssim"]
            rendered = [[name, *each] for name in sorted(tried) for each in tried[name]]
            write_text(self.run_folder / "matched.csv", csv_text(heads, rendered))
            print(f"{told_and_found(list(tried.values()))} All renderings: {self.run_folder / 'matched.csv'}")


def summary(rows: Sequence[Row], method: str) -> str:
    """Means of per-image values, the method's beside those of returning the input."""
    names = _scores(rows)
    if not names:
        return f"{counted(len(rows), 'picture')}, no targets: nothing to score."
    lines = [[method, *(_mean(rows, name, name) for name in names)]]
    if any(key.startswith(IDENTITY) for row in rows for key in row):
        lines.append(["identity", *(_mean(rows, f"{IDENTITY}{name}", name) for name in names)])
    table = aligned(["", *(_label(name) for name in names)], lines, "<>")
    found = f"Mean of {counted(len(rows), 'per-image value')}, 8-bit RGB:\n{table}"
    by_name = {row["name"]: row for row in rows}
    groups = grouped({name: row[F_NUMBER] for name, row in by_name.items() if F_NUMBER in row})
    parts = [(f"f/{written(number)}", [by_name[name] for name in group]) for number, group in groups.items()]
    lines = [[number, str(len(part)), *(_mean(part, name, name) for name in names)] for number, part in parts]
    table = aligned([method, "pictures", *(_label(name) for name in names)], lines, "<>")
    return f"{found}\n\n{table}" if lines else found


def _scores(rows: Sequence[Row]) -> list[str]:
    """What was scored, the identity baseline's apart."""
    keys = dict.fromkeys(key for row in rows for key in row if key not in ("name", F_NUMBER))
    return [key for key in keys if not key.startswith(IDENTITY)]


def _mean(rows: Sequence[Row], key: str, column: str) -> str:
    known = [value for row in rows if not math.isnan(value := row.get(key, math.nan))]
    mean = math.fsum(known) / len(known) if known else math.nan
    try:
        found = variant_of(column)
    except BokehbenchError:  # a number of a method's own
        return f"{mean:.4f}"
    return found.show(mean, decimals=max(3, found.decimals))


def _label(name: str) -> str:
    try:
        return variant_of(name).label
    except BokehbenchError:
        return name.replace("_", " ")
