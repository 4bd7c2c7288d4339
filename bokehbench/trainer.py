"""The one mechanism that walks a method's stages.

Lightning's loop counts epochs; here one epoch is one stage, of exactly as many batches as the stage asks for. Each
stage is a ``Trainer.fit`` of its own on the same trainer, so that optimiser, schedule and the distributed wrapper
(which must know what trains) are built again, while the step count, loggers and callbacks go on.
"""

import math
from pathlib import Path
from typing import Any

from pytorch_lightning import LightningDataModule, LightningModule, Trainer
from pytorch_lightning.plugins.io import TorchCheckpointIO

from bokehbench.batch import missing
from bokehbench.checkpoints import read_checkpoint, write_checkpoint
from bokehbench.data.sampling import TrainingPlan, View
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage
from bokehbench.models.weights import refuse_state
from bokehbench.refusals import peer_lost, refusal
from bokehbench.run_folder import InRunFolder


class CheckpointFiles(TorchCheckpointIO):
    """Checkpoints written beside their place and moved there, and read with all checks.

    Lightning writes them to ``$TMPDIR`` and copies: on another file system a kill leaves half of one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Of this process; BokehbenchError where the place cannot be written to."""
        write_checkpoint(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, *args: Any, **options: Any) -> dict[str, Any]:
        """As :func:`read_checkpoint`."""
        return read_checkpoint(Path(path))


class StagedTrainer(Trainer):
    """Lightning's trainer, walking the stages of a :class:`BokehModel`; any other module is fitted as usual.

    Raises:
        BokehbenchError: ``max_epochs`` was given (stages count steps), or a checkpoint of other stages is resumed.
    """

    def fit(
        self,
        model: LightningModule,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        datamodule: LightningDataModule | None = None,
        ckpt_path: str | Path | None = None,
        weights_only: bool | None = True,
    ) -> None:
        """Train all selected stages in order; with ``ckpt_path``, go on inside the stage that it was saved in.

        Args:
            model: the method.
            train_dataloaders, val_dataloaders: unused by our methods; data comes from ``datamodule``.
            datamodule: one of ours: it is told each stage's :class:`TrainingPlan`.
            ckpt_path: checkpoint of an interrupted run of the same stages.
            weights_only: leave True: a checkpoint from a stranger must not run code.
        """
        if not isinstance(model, BokehModel) or datamodule is None:
            super().fit(model, train_dataloaders, val_dataloaders, datamodule, ckpt_path, weights_only)
            return
        if not model.stages:
            name = MODELS.name_of(type(model))
            raise BokehbenchError(
                f"{type(model).__name__} has nothing to train: use it at once, `bokehbench test --model {name}` or "
                f"`bokehbench render PHOTO --model {name} -o OUT.png`."
            )
        if type(self.strategy.checkpoint_io) is TorchCheckpointIO:
            self.strategy.checkpoint_io = CheckpointFiles()
        first, batches_done = self._position(model, ckpt_path)
        self._check_needs(model, datamodule)
        if ckpt_path is None:
            model.begin_training()
        asked_interval = self.val_check_interval
        for number, stage in list(enumerate(model.stages))[first:]:
            resumed = number == first and ckpt_path is not None
            model.begin_stage(stage, resumed)
            batches = self._batches(stage)
            self.fit_loop.max_epochs = number + 1
            if isinstance(asked_interval, int):  # Lightning refuses an interval longer than the epoch
                self.val_check_interval = min(asked_interval, batches)
            recipe, done = stage.recipe, batches_done if resumed else 0
            plan = TrainingPlan(
                recipe.batch_size, batches, done, View(recipe.view, recipe.height, recipe.width, stage.window_step),
                self.global_rank, self.world_size, quarter_turns=stage.quarter_turns, keys=stage.keys,
            )  # fmt: skip
            datamodule.plan_training(plan)  # type: ignore[attr-defined]
            try:
                super().fit(model, datamodule=datamodule, ckpt_path=ckpt_path if resumed else None, weights_only=True)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
                if self.world_size > 1 and peer_lost(error):
                    raise self._abandoned(error, ckpt_path) from error
                if not resumed or self.train_dataloader is not None:  # past the point where the state was restored
                    raise
                raise unresumable(ckpt_path, f"{type(error).__name__}: {str(error)[:100]}") from error
            if self.fit_loop.max_steps != -1 and self.global_step >= self.fit_loop.max_steps:
                break
        self.val_check_interval = asked_interval

    def _abandoned(self, error: Exception, ckpt_path: str | Path | None) -> BokehbenchError:
        """What the processes that are left say when another of theirs has ended."""
        everyone = self.callbacks  # type: ignore[attr-defined]
        known = (each for each in everyone if isinstance(each, InRunFolder) and hasattr(each, "run_folder"))
        last = next((path for each in known if (path := each.checkpoints / "last.ckpt").is_file()), ckpt_path)
        again = f" with --checkpoint {last}, which every machine must see" if last else ""
        return BokehbenchError(f"fit: {refusal(error)}{again}.")

    @staticmethod
    def _check_needs(model: BokehModel, datamodule: LightningDataModule) -> None:
        """Refuse data that a later stage cannot use now, not when that stage begins."""
        pictures = datamodule.pictures("train")  # type: ignore[attr-defined]
        if not pictures:
            return  # the data module says so better, with its root and splits
        item = pictures[0]
        for stage in model.stages:
            if lacking := [key for key in stage.needs if key not in item]:
                raise missing(f"{type(model).__name__}, stage '{stage.name}'", lacking[0], [item["name"]])

    def _batches(self, stage: Stage) -> int:
        """Batches of a stage under Lightning's own limits (``fast_dev_run``, ``limit_train_batches``)."""
        batches = stage.recipe.steps * self.accumulate_grad_batches
        limit = self.limit_train_batches
        if isinstance(limit, int):
            return min(batches, limit)
        return batches if limit is None else max(1, math.floor(batches * limit))

    def _position(self, model: BokehModel, ckpt_path: str | Path | None) -> tuple[int, int]:
        """Number of the stage that a checkpoint belongs to, and how many of its batches are done."""
        if ckpt_path is None:
            return 0, 0
        content = read_checkpoint(Path(ckpt_path))
        saved, names = content.get("bokehbench", {}), [stage.name for stage in model.stages]
        if not content.get("loops") or saved.get("stage") is None:
            raise BokehbenchError(
                f"{ckpt_path} holds weights but no state of a run: start from them with --model.weights {ckpt_path}."
            )
        if saved.get("stages") != names or saved["stage"] not in names:
            raise BokehbenchError(
                f"{ckpt_path} is of a run of the stages {saved.get('stages')}, this one is of {names}: give "
                f"--model.stages '{saved.get('stages')}' to resume it, or --model.weights {ckpt_path} to start from it."
            )
        refuse_state(model, content["state_dict"], str(ckpt_path))
        loops = content["loops"].get("fit_loop")
        if not _alike(loops, self.fit_loop.state_dict()):
            raise unresumable(ckpt_path, "its step count is missing or broken")
        states = content.get("optimizer_states"), content.get("lr_schedulers")
        if not all(isinstance(each, list) and each for each in states):
            raise unresumable(ckpt_path, "it has no state of the optimiser")
        return names.index(saved["stage"]), int(loops["epoch_loop.batch_progress"]["current"]["ready"])


def unresumable(path: object, why: str) -> BokehbenchError:
    """The error of a checkpoint whose weights alone can be used."""
    return BokehbenchError(f"{path} cannot be resumed ({why}): start from its weights with --model.weights {path}.")


def _alike(found: Any, ours: Any) -> bool:
    """Whether a loop's state has all that ours has, of the same types; no count is negative."""
    if isinstance(ours, dict):
        return isinstance(found, dict) and all(_alike(found.get(key), value) for key, value in ours.items())
    return type(found) is type(ours) and found >= 0
