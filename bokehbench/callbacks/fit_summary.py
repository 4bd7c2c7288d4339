"""The end of a fit: scores beside do-nothing, a picture, the checkpoint, what to type next."""

from __future__ import annotations

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback

from bokehbench.batch import Batch, known
from bokehbench.callbacks.run_folder import run_folder
from bokehbench.callbacks.stage_checkpoints import StageCheckpoints
from bokehbench.models.base import BokehModel
from bokehbench.pictures import comparison


class FitSummary(Callback):
    """After the last stage, print the validation scores and write ``comparison.png``.

    Args:
        pictures: rows of the comparison.
    """

    def __init__(self, pictures: int = 3) -> None:
        self.pictures = pictures
        self.batches: list[Batch] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew with each stage."""
        self.batches = []

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: Batch, batch_idx: int, *args: object
    ) -> None:
        """Keep the first pictures."""
        if len(self.batches) < self.pictures and not trainer.sanity_checking and trainer.is_global_zero:
            first = {key: value[:1] for key, value in batch.items()}  # type: ignore[index]
            self.batches.append(first)  # type: ignore[arg-type]
            if batch_idx == 0:
                self.batches = self.batches[-1:]

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Summarise the run once its last stage has ended."""
        if not isinstance(pl_module, BokehModel) or pl_module.stage is not pl_module.stages[-1]:
            return
        folder = run_folder(trainer)
        if not trainer.is_global_zero:
            return
        print("\n" + scores(trainer, pl_module))
        with_target = [batch for batch in self.batches if bool(known(batch, "bokeh").all())]
        if with_target:
            picture = folder / "comparison.png"
            pl_module.eval()
            with torch.no_grad():
                outputs = [pl_module.render_batch(batch).cpu() for batch in with_target]
            comparison(picture, with_target, outputs)
            print(f"Comparison (input, disparity, output, target): {picture}")
        checkpoint = StageCheckpoints.folder(trainer) / "last.ckpt"
        if checkpoint.is_file():
            name = type(pl_module).__name__.lower()
            print(f"Checkpoint: {checkpoint}")
            print(f"Next: bokehbench render PHOTO --model {name} --checkpoint {checkpoint} -o OUT.png")


def scores(trainer: Trainer, model: BokehModel) -> str:
    """Validation scores of the last stage as a small table, do-nothing beside them."""
    values = {
        key.removeprefix("val/"): float(v) for key, v in trainer.callback_metrics.items() if key.startswith("val/")
    }
    label = type(model).__name__
    if "psnr" not in values:
        return "\n".join(
            [f"Validation of {label}:", *(f"  {key}: {value:.4f}" for key, value in sorted(values.items()))]
        )
    lines = ["Validation, mean of per-image values:", f"{'':>12} {'PSNR dB':>9} {'SSIM':>8}"]
    for row, prefix in ((label, ""), ("do nothing", "identity_")):
        lines.append(f"{row:>12} {values[f'{prefix}psnr']:9.3f} {values[f'{prefix}ssim']:8.4f}")
    gain = values["psnr"] - values["identity_psnr"]
    lines.append(f"{label} is {abs(gain):.2f} dB {'above' if gain > 0 else 'BELOW'} doing nothing.")
    return "\n".join(lines)
