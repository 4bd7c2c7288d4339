"""Progress bar that names the stage."""

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

    The range is that of the stage among the steps of the whole run; a run of one stage shows none.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A run that goes on inside a stage begins no epoch, yet the bar must know its length and name."""
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
