"""Scores of a test: a table on the screen, one row per picture in a CSV."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch.distributed
from pytorch_lightning import LightningModule, Trainer

from bokehbench.counted import counted
from bokehbench.files import write_text
from bokehbench.run_folder import InRunFolder


class ScoreTable(InRunFolder):
    """Collect per-image scores of ``test``, print their means beside do-nothing, write ``test.csv``.

    Means are of per-image values: pooling the squared error first moves PSNR by 1.8 dB on the same pictures.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew."""
        self.rows = []

    def on_test_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any) -> None:
        """Keep the rows of this process."""
        scores = {name: values.tolist() for name, values in outputs["scores"].items()}
        for number, name in enumerate(outputs["name"]):
            self.rows.append({"name": name, **{score: values[number] for score, values in scores.items()}})

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gather over processes, print, write."""
        rows = self.rows
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, rows)
            rows = [row for part in gathered for row in part]
        if not trainer.is_global_zero or not rows:
            return
        table = pd.DataFrame(rows).sort_values("name")
        path = self.run_folder / "test.csv"
        write_text(path, table.to_csv(index=False))
        print(summary(table, type(pl_module).__name__))
        share = getattr(trainer.datamodule, "completeness", {}).get("test")  # type: ignore[attr-defined]
        if share is not None and not share.complete:
            print(f"INCOMPLETE: {share.found} of the split's {share.expected} pictures are there: not comparable.")
        print(f"Per-image scores: {path}")


def summary(table: pd.DataFrame, method: str) -> str:
    """Means of per-image values, the method's beside those of returning the input."""
    if "psnr" not in table:
        return f"{counted(len(table), 'picture')}, no targets: nothing to score."
    lines = [
        f"Mean of {counted(len(table), 'per-image value')}, 8-bit RGB:",
        f"{'':>12} {'PSNR dB':>9} {'SSIM':>8}",
    ]
    for label, prefix in ((method, ""), ("do nothing", "identity_")):
        lines.append(f"{label:>12} {table[f'{prefix}psnr'].mean():9.3f} {table[f'{prefix}ssim'].mean():8.4f}")
    numbers = table.select_dtypes("number").mean()
    for name in numbers.index:
        if name not in ("psnr", "ssim") and f"identity_{name}" in numbers:
            lines.append(f"{name}: {method} {numbers[name]:.4f}, do nothing {numbers[f'identity_{name}']:.4f}")
    return "\n".join(lines)
