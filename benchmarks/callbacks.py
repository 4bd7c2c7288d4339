"""What logging costs: fits with and without the callbacks that log gradient norm, learning rate, speed and pictures.

    PYTHONPATH=. python benchmarks/callbacks.py

A small DeepLens on purpose: its steps are short, so that what a callback costs weighs more than in a real training.
The weights after both are equal to the bit.
"""

from __future__ import annotations

import itertools
import logging
import os
import tempfile
import warnings
from pathlib import Path

import torch
from pytorch_lightning import seed_everything
from pytorch_lightning.callbacks import Callback, LearningRateMonitor
from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger
from side_by_side import compare, header

from bokehbench.callbacks import GradientNorm, MediaPanels, StageCheckpoints, Throughput, WandbRun
from bokehbench.data import DATA
from bokehbench.models import MODELS
from bokehbench.models.stages import StageRecipe
from bokehbench.trainer import StagedTrainer

STEPS = 30
LAST: dict[str, dict[str, torch.Tensor]] = {}


def fit(way: str, folder: Path, logger: Logger, callbacks: list[Callback], every: int) -> None:
    """One fit of ``STEPS`` steps."""
    seed_everything(0, verbose=False)
    recipe = StageRecipe(steps=STEPS, batch_size=4, learning_rate=1e-3, height=64, width=64, clip=1.0)
    model = MODELS["deeplens"](stages=["rendering"], channels=8, upsampling_channels=8, depth_size=64, rendering=recipe)
    data = DATA["syntheticdof"](size=64, aperture=8, val_samples=4, num_workers=0)
    trainer = StagedTrainer(
        accelerator="cpu", devices=1, logger=logger, callbacks=[StageCheckpoints(), *callbacks],
        default_root_dir=folder, log_every_n_steps=every, num_sanity_val_steps=0, use_distributed_sampler=False,
        enable_model_summary=False, enable_progress_bar=False,
    )  # fmt: skip
    trainer.fit(model, datamodule=data)
    LAST[way] = {key: value.clone() for key, value in model.state_dict().items()}


def main() -> None:
    """All comparisons."""
    torch.set_num_threads(1)
    os.environ["WANDB_MODE"] = "disabled"
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    header(
        f"A fit of {STEPS} steps, DeepLens of 8 channels, four crops of 64 px, validation of four pictures in the end"
    )
    with tempfile.TemporaryDirectory() as place:
        number = itertools.count()

        def run(way: str, every: int, disabled: bool = False) -> None:
            folder = Path(place) / str(next(number))
            folder.mkdir()
            logger = WandbLogger(save_dir=folder, project="x") if disabled else CSVLogger(folder)
            own = [] if way == "without" else [LearningRateMonitor(), GradientNorm(), Throughput(), MediaPanels()]
            fit(way, folder, logger, [*own, *([WandbRun()] if own else [])], every)

        for every in (10, 1):
            ways = {way: (lambda way=way, every=every: run(way, every)) for way in ("without", "with")}
            compare(f"CSVLogger, every {every} steps logged", ways, rounds=5)
        ways = {way: (lambda way=way: run(way, 10, disabled=True)) for way in ("without", "with")}
        compare("WandbLogger with WANDB_MODE=disabled", ways, rounds=5)
    for key, value in LAST["without"].items():
        assert torch.equal(value, LAST["with"][key]), key


if __name__ == "__main__":
    main()
