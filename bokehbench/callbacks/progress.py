"""Progress bar that names the stage and shows the time left of the whole fit."""

import math
import time
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm

from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage


class StageProgressBar(TQDMProgressBar):
    """``rendering (stage 2 of 2, 24-100 %): 45%`` in place of Lightning's ``Epoch 1``.

    The range is that of the stage among all steps; a run of one stage shows none. See also :meth:`seconds_left`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._since, self._validation, self._batches = 0.0, 0.0, 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A run that goes on inside a stage begins no epoch, yet the bar must know its length and name."""
        self._since, self._batches = time.monotonic(), 0
        super().on_train_start(trainer, pl_module)
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Put the stage's name where the epoch's number stood."""
        super().on_train_epoch_start(trainer, pl_module, *args)
        if isinstance(pl_module, BokehModel) and pl_module.stage is not None:
            stages, stage = pl_module.stages, pl_module.stage
            start, end = (round(100 * share) for share in span(stages, stage))
            where = f", {start}-{end} %" if len(stages) > 1 else ""
            label = f"{stage.name} (stage {stages.index(stage) + 1} of {len(stages)}{where})"
            self.train_progress_bar.set_description(label)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Put the time left of the whole fit where that of the epoch stood."""
        self._batches += 1
        if isinstance(pl_module, BokehModel) and pl_module.stage is not None:
            left = Tqdm.format_interval(self.seconds_left(trainer, pl_module.stages, pl_module.stage, batch_idx + 1))
            self.train_progress_bar.bar_format = self.BAR_FORMAT.replace("<{remaining}", f", {left} left of the fit")
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note when it began."""
        super().on_validation_start(trainer, pl_module)
        self._validation = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A validation's time is not that of steps."""
        self._validation = time.monotonic() - self._validation
        self._since += self._validation
        super().on_validation_end(trainer, pl_module)

    def seconds_left(self, trainer: Trainer, stages: Sequence[Stage], stage: Stage, done: int) -> float:
        """Time until the last stage has ended, after ``done`` batches of ``stage`` and before what follows the last.

        Batches of later stages are taken to last as long as this stage's, a validation as long as the last (first: 0).
        """
        total = int(trainer.num_training_batches)
        later = [round(total * each.recipe.steps / stage.recipe.steps) for each in stages[stages.index(stage) + 1 :]]
        every = trainer.val_check_batch or math.inf  # None where time decides, which is not foreseen
        share = isinstance(trainer.val_check_interval, float)  # of a stage, else a number of batches
        validations = total // every - (done - 1) // every
        validations += sum(total // every if share else max(count // every, 1) for count in later)
        per_batch = (time.monotonic() - self._since) / self._batches
        return per_batch * (total - done + sum(later)) + self._validation * validations

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """The logger's version number is of no use to someone who watches a bar."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}

    def init_validation_tqdm(self) -> Tqdm:
        """Say what the second bar is."""
        bar = super().init_validation_tqdm()
        bar.set_description("validation")
        return bar


def span(stages: Sequence[Stage], stage: Stage) -> tuple[float, float]:
    """Where ``stage`` begins and ends among the steps of the whole run, 0 to 1."""
    ends = [0, *accumulate(each.recipe.steps for each in stages)]
    number = stages.index(stage)
    return ends[number] / ends[-1], ends[number + 1] / ends[-1]
