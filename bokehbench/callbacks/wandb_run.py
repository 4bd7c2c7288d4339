"""What a run leaves at W&B besides its curves: settings, scores by stage, the table of a test, its result."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.loggers import WandbLogger

from bokehbench.callbacks.active_loggers import wandb_loggers
from bokehbench.models.base import BokehModel
from bokehbench.run_folder import InRunFolder


class WandbRun(InRunFolder):
    """Complete a W&B run; without one, nothing.

    - the resolved ``config.yaml``, as a file and as the run's ``config``;
    - ``STAGE/val_SCORE`` beside Lightning's ``val/SCORE``, which goes on over all stages;
    - after a test the table ``test/pictures`` of per-image scores, and the board's result as an artifact.

    Nothing is logged with W&B's own ``step``: it must only grow, and a test after a resumed fit would be dropped.
    """

    def __init__(self) -> None:
        self.loggers: list[WandbLogger] = []
        self._told = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Begin the run."""
        super().setup(trainer, pl_module, stage)
        self.loggers = wandb_loggers(trainer)

    def tell_config(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Upload the settings with every default filled in, once: a fit of several stages begins several times."""
        path = self.run_folder / "config.yaml"
        if self._told or not self.loggers or not path.is_file():
            return
        self._told = True
        settings = yaml.safe_load(path.read_text())
        for logger in self.loggers:
            logger.experiment.config.update(settings, allow_val_change=True)
            keep(logger, path)

    on_fit_start = on_validation_start = on_test_start = tell_config

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The scores of a stage under its own name."""
        if trainer.sanity_checking or not isinstance(pl_module, BokehModel) or pl_module.stage is None:
            return
        stage = pl_module.stage.name
        scores = {
            f"{stage}/val_{key.removeprefix('val/')}": float(value)
            for key, value in trainer.callback_metrics.items()
            if key.startswith("val/")
        }
        for logger in self.loggers:
            logger.log_metrics(scores, trainer.global_step)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """After the callbacks that write ``test.csv`` and ``result.json``."""
        from bokehbench.measure.recorder import ResultRecorder  # here, since it is a callback itself and imports ours

        table = self.run_folder / "test.csv"
        recorders = [each for each in trainer.callbacks if isinstance(each, ResultRecorder)]  # type: ignore[attr-defined]
        for logger in self.loggers:
            if table.is_file():
                logger.log_table("test/pictures", dataframe=pd.read_csv(table))
                keep(logger, table)
            for recorder in recorders:
                if recorder.path.is_file():
                    keep_result(logger, recorder.path, recorder.board.name)


def keep(logger: WandbLogger, path: Path) -> None:
    """Upload a copy below ``bokehbench/``: a ``config.yaml`` at the top is W&B's own, and a link would get lost."""
    run: Any = logger.experiment
    copy = Path(run.dir) / "bokehbench" / path.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, copy)
    run.save(str(copy), base_path=run.dir, policy="now")


def keep_result(logger: WandbLogger, path: Path, board: str) -> None:
    """Store a result as an artifact; the file stays where it is, so that an offline run is complete by itself."""
    import wandb

    run: Any = logger.experiment
    artifact = wandb.Artifact(f"result-{board}-{run.id}", type="result", metadata={"board": board})
    artifact.add_file(str(path), name="result.json", policy="immutable", skip_cache=True)
    run.log_artifact(artifact)
