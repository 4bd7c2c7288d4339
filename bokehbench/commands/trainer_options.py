"""What is wrong with the trainer's options, found before a method is built."""

import os
from collections.abc import Mapping
from typing import Any

from pytorch_lightning.plugins.environments import (
    LSFEnvironment,
    MPIEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from bokehbench.errors import BokehbenchError, check_options, within

CLUSTERS = (TorchElasticEnvironment, SLURMEnvironment, LSFEnvironment, MPIEnvironment)
#: Option -> its range; those that Lightning refuses itself are not here.
RANGES: dict[str, tuple[float, float]] = {
    "num_nodes": (1, 10_000), "accumulate_grad_batches": (1, 1e6), "gradient_clip_val": (0, 1e12),
    "log_every_n_steps": (0, 1e9), "check_val_every_n_epoch": (1, 1e9), "max_steps": (-1, 1e12), "min_steps": (0, 1e12),
    "num_sanity_val_steps": (-1, 1e9), "overfit_batches": (0, 1e9),
    **{f"limit_{split}_batches": (0, 1e9) for split in ("train", "val", "test", "predict")},
}  # fmt: skip


def check_trainer(given: Mapping[str, Any]) -> None:
    """Refuse options that Lightning takes and nobody can mean.

    Raises:
        BokehbenchError: names the option: out of range; several machines where no cluster starts the others; epochs.
    """
    if given.get("max_epochs") is not None:
        raise BokehbenchError(
            "--trainer.max_epochs: stages count steps, as the papers do; give --model.STAGE.steps instead."
        )
    checks = [within(name, given[name], *ends) for name, ends in RANGES.items() if given.get(name) is not None]
    interval, steps = given.get("val_check_interval"), given.get("max_steps")
    positive = not isinstance(interval, int | float) or 0 < interval < 1e9
    nodes = given.get("num_nodes", 1)
    cluster = given.get("plugins") or "NODE_RANK" in os.environ or any(kind.detect() for kind in CLUSTERS)
    devices = str(given.get("devices", "auto"))
    most = (os.cpu_count() or 1) if given.get("accelerator") == "cpu" else 1024
    few = not devices.lstrip("-").isdecimal() or (len(devices) < 10 and int(devices) <= most)
    check_options(
        "--trainer.",
        *checks,
        ("max_steps", steps, steps != 0, "-1, for all, or 1 or more"),
        ("val_check_interval", interval, positive, "steps, or a share of a stage above 0"),
        (
            "num_nodes",
            nodes,
            nodes == 1 or bool(cluster),
            "1, where no cluster and no torchrun starts the others",
        ),
        ("devices", devices, few, f"{most} or fewer: there are no more here"),
    )
