"""The end of a fit: scores beside those of the input, a picture, the checkpoint, what to type next."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter

from bokehbench.batch import Batch
from bokehbench.figures.style import NothingToDraw
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.pictures import comparison
from bokehbench.run_folder import InRunFolder
from bokehbench.tables import aligned


class FitSummary(InRunFolder):
    """After the last stage, print every stage's validation scores, write ``comparison.png`` and ``training.png``.

    The training curves are drawn from what CSVLogger wrote; with other loggers, which draw their own, there are none.

    Args:
        pictures: rows of the comparison.
    """

    def __init__(self, pictures: int = 3) -> None:
        self.pictures = pictures
        self.batches: list[Batch] = []
        #: stage -> its last validation scores
        self.scores: dict[str, dict[str, float]] = {}

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int, *args: object
    ) -> None:
        """Keep the first pictures of the newest validation."""
        if batch_idx < self.pictures and trainer.is_global_zero:
            self.batches = [*self.batches[:batch_idx], batch]

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the stage's scores."""
        if isinstance(pl_module, BokehModel) and pl_module.stage is not None and not trainer.sanity_checking:
            metrics = trainer.callback_metrics
            self.scores[pl_module.stage.name] = {
                key.removeprefix("val/"): float(value) for key, value in metrics.items() if key.startswith("val/")
            }

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Summarise the run once its last stage has ended."""
        if not isinstance(pl_module, BokehModel) or pl_module.stage is not pl_module.stages[-1]:
            return
        if not trainer.is_global_zero:
            return
        name = type(pl_module).__name__
        print("\n" + table(self.scores, name))
        renders = "psnr" in self.scores.get(pl_module.stage.name, {})  # a depth stage's run has no rendering to show
        if renders and self.batches and "bokeh" in self.batches[0]:
            picture = self.run_folder / "comparison.png"
            pl_module.eval()
            with torch.no_grad():
                panels = [pl_module.panels(batch) for batch in self.batches]
            comparison(picture, panels)
            print(f"Comparison ({', '.join(panels[0])}): {picture}")
        self._curves(trainer, name)
        checkpoint = self.checkpoints / "last.ckpt"
        if checkpoint.is_file():
            print(f"Checkpoint: {checkpoint}")
            print(next_command(pl_module, str(checkpoint)))

    def _curves(self, trainer: Trainer, name: str) -> None:
        from bokehbench.figures import training_curves  # brings matplotlib, which a fit needs only now

        loggers = [logger for logger in trainer.loggers if isinstance(logger, CSVLogger)]
        if not loggers:
            return
        loggers[0].save()  # what is still in memory
        logs = Path(loggers[0].log_dir) / ExperimentWriter.NAME_METRICS_FILE
        if logs.is_file():  # otherwise nothing was logged
            with suppress(NothingToDraw):  # fewer steps than log_every_n_steps
                run = training_curves.read_run(name, [logs])
                print(f"Training curves: {training_curves.draw([run], self.run_folder / 'training.png')}")

    def state_dict(self) -> dict[str, Any]:
        """Scores of the stages done, for a resumed run's summary."""
        return {"scores": self.scores}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.scores = dict(state_dict["scores"])


def next_command(model: BokehModel, checkpoint: str) -> str:
    """Train the stages that follow, or else render."""
    name = MODELS.name_of(type(model))
    after = model.available[model.available.index(model.stages[-1]) + 1 :]
    following = [stage.name for stage in after if stage.by_default]
    if following:
        stages = f"'[{', '.join(following)}]'"
        return f"Next: bokehbench fit --model {name} --model.stages {stages} --model.weights {checkpoint}"
    given = " --disparity MAP" if model.uses.disparity == "needed" else ""
    return f"Next: bokehbench render PHOTO --model {name} --checkpoint {checkpoint} -o OUT.png{given}"


def table(scores: dict[str, dict[str, float]], method: str) -> str:
    """Each stage's validation scores beside those of ``identity``: the input (or a flat disparity map)."""
    rows = [
        (stage, key, f"{value:.4f}", f"{values[f'identity_{key}']:.4f}" if f"identity_{key}" in values else "")
        for stage, values in scores.items()
        for key, value in sorted(values.items())
        if not key.startswith("identity_")
    ]
    text = "Validation, mean of per-image values:\n" + aligned(("stage", "score", method, "identity"), rows, "<<>")
    last = list(scores.values())[-1] if scores else {}
    if "psnr" in last:
        gain = last["psnr"] - last["identity_psnr"]
        text += f"\n{method} is {abs(gain):.2f} dB {'above' if gain > 0 else 'BELOW'} identity, the input as it is."
    return text
