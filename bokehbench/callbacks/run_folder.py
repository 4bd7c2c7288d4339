"""Where a run puts its files."""

from __future__ import annotations

from pathlib import Path

from pytorch_lightning import Trainer


def run_folder(trainer: Trainer) -> Path:
    """The logger's folder of this run, the same on every process; without a logger, ``default_root_dir``."""
    return Path(trainer.strategy.broadcast(trainer.log_dir or trainer.default_root_dir))
