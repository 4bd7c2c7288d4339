"""Where a run puts its files."""

from pathlib import Path

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback


class InRunFolder(Callback):
    """A callback that writes into the run's folder: the logger's, or ``default_root_dir`` without a logger.

    The name is agreed between processes, so it is asked for once, where all of them are.
    """

    run_folder: Path

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Ask for the folder."""
        self.run_folder = Path(trainer.log_dir or trainer.default_root_dir)

    @property
    def checkpoints(self) -> Path:
        """Where :class:`StageCheckpoints` writes."""
        return self.run_folder / "checkpoints"
