"""Packages of somebody else: ``tests/stranger``, and copies of it as an installer leaves them, under other names."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pytorch_lightning import Callback

#: A project with the method ``Shade``, the data set ``Ramps`` and the verb ``hello``.
STRANGER = Path(__file__).parent / "stranger"
#: Its entry points: group -> name -> value.
FARLENS: Mapping[str, Mapping[str, str]] = tomllib.loads((STRANGER / "pyproject.toml").read_text())["project"][
    "entry-points"
]


class SaveFirst(Callback):
    """``middle.ckpt`` beside ``last.ckpt``, after the first step: what a kill would have left."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if batch_idx == 0:
            trainer.save_checkpoint(Path(trainer.log_dir) / "checkpoints" / "middle.ckpt")


def write_package(site: Path, name: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    """A copy of the package as ``NAME`` 1.0 in ``site``, with other entry points: group -> name -> value."""
    info = site / f"{name}-1.0.dist-info"
    shutil.copytree(STRANGER / "farlens", site / name, ignore=shutil.ignore_patterns("__pycache__"))
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
    lines = [
        line
        for group, offers in entries.items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in offers.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
