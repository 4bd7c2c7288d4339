"""Checkpoints of a staged run: the last state, the end of each stage, the best of each stage."""

import signal
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint

from bokehbench import stopping
from bokehbench.models.base import BokehModel
from bokehbench.run_folder import InRunFolder


class StageCheckpoints(Checkpoint, InRunFolder):
    """Write ``last.ckpt`` every ``every_n_steps``, ``STAGE.ckpt`` at a stage's end, ``STAGE-best.ckpt`` by its monitor.

    Each file is written beside its final place and moved there (:class:`bokehbench.trainer.CheckpointFiles`), so a
    killed process or a full disk leaves the checkpoint before. What is handed from stage to stage is the last state, as
    in the papers, never the best.

    Ctrl-C and SIGTERM end the run after the step at hand, or after the picture that is validated, with ``last.ckpt``.

    Args:
        every_n_steps: optimiser steps between two writings of ``last.ckpt``.
    """

    def __init__(self, every_n_steps: int = 500) -> None:
        self.every_n_steps = every_n_steps
        self.best: dict[str, float] = {}
        self._saved_at = self._step = -1
        #: Whether the validation of the step that is saved is still to come.
        self._before_validation = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From now on an end that is asked for waits for the step at hand."""
        stopping.patiently()
        self._step = trainer.global_step

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """There is no step any more to wait for."""
        stopping.patiently(False)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Write ``last.ckpt`` when due (once per optimiser step, however many batches make one).

        Raises:
            Stopped: that was asked for; ``last.ckpt`` was written.
        """
        step = trainer.global_step
        stepped, self._step = step != self._step, step
        if stepped:
            loop = trainer.fit_loop.epoch_loop
            self._end_if_asked(trainer, pl_module, loop._should_check_val_fx(trainer.fit_loop._data_fetcher))  # type: ignore[arg-type]
        if step % self.every_n_steps == 0 and step != self._saved_at:
            self._saved_at = step
            trainer.save_checkpoint(self.checkpoints / "last.ckpt")

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """As after a step; who resumes begins this validation again."""
        if self._step >= 0 and not trainer.sanity_checking:
            self._end_if_asked(trainer, pl_module, True)

    def _end_if_asked(self, trainer: Trainer, pl_module: LightningModule, before_validation: bool) -> None:
        number = stopping.asked()
        if trainer.world_size > 1:  # all processes at the same step
            wanted = trainer.strategy.reduce_boolean_decision(bool(number), all=False)
            number = (number or signal.SIGTERM) if wanted else None
        if number is None:
            return
        self._before_validation = before_validation
        path = self.checkpoints / "last.ckpt"
        trainer.save_checkpoint(path)
        name = getattr(getattr(pl_module, "stage", None), "name", "the training")
        done = trainer.fit_loop.epoch_loop.batch_progress.current.ready // trainer.accumulate_grad_batches
        raise stopping.Stopped(number, f"After step {done} of {name} all was saved: {path}.", path)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Tell Lightning's loops that a validation is still to come, from its first picture on."""
        if not self._before_validation:
            return
        loops = checkpoint["loops"]["fit_loop"]
        training, validation = (loops[f"epoch_loop.{name}batch_progress"] for name in ("", "val_loop."))
        for part in ("total", "current"):
            training[part]["completed"] = training[part]["processed"]
            validation[part] |= {"ready": 1, "started": 1, "processed": 0, "completed": 0}

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
