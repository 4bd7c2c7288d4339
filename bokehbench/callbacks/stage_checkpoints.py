"""Checkpoints of a staged run: the last state, the end of each stage, the best of each stage."""

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from bokehbench.models.base import BokehModel
from bokehbench.run_folder import InRunFolder


class StageCheckpoints(Checkpoint, InRunFolder):
    """Write ``last.ckpt`` every ``every_n_steps``, ``STAGE.ckpt`` at a stage's end, ``STAGE-best.ckpt`` by its monitor.

    Lightning writes each file beside its final place and moves it there, so a killed process or a full disk leaves
    the checkpoint before. What is handed from stage to stage is the last state, as in the papers, never the best.

    Args:
        every_n_steps: optimiser steps between two writings of ``last.ckpt``.
    """

    def __init__(self, every_n_steps: int = 500) -> None:
        self.every_n_steps = every_n_steps
        self.best: dict[str, float] = {}
        self._saved_at = -1

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Write ``last.ckpt`` when due (once per optimiser step, however many batches make one)."""
        step = trainer.global_step
        if step % self.every_n_steps == 0 and step != self._saved_at:
            self._saved_at = step
            trainer.save_checkpoint(self.checkpoints / "last.ckpt")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write ``STAGE-best.ckpt`` if the stage's monitor never was better."""
        if trainer.sanity_checking or not isinstance(pl_module, BokehModel) or pl_module.stage is None:
            return
        stage, value = pl_module.stage, trainer.callback_metrics.get(pl_module.stage.monitor)
        if value is None or not bool(torch.isfinite(value)):
            return
        sign = 1.0 if stage.mode == "max" else -1.0
        if sign * float(value) > sign * self.best.get(stage.name, -sign * float("inf")):
            self.best[stage.name] = float(value)
            trainer.save_checkpoint(self.checkpoints / f"{stage.name}-best.ckpt")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the state at the end of a stage."""
        if isinstance(pl_module, BokehModel) and pl_module.stage is not None:
            trainer.save_checkpoint(self.checkpoints / f"{pl_module.stage.name}.ckpt")
            trainer.save_checkpoint(self.checkpoints / "last.ckpt")

    def state_dict(self) -> dict[str, Any]:
        """Best values so far, so that a resumed run does not overwrite a better checkpoint."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = dict(state_dict["best"])
