"""What a test was of: the network's arguments, the training behind its weights, the data's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import yaml
from pytorch_lightning import Trainer
from pytorch_lightning.cli import SaveConfigCallback

from bokehbench.models.base import BokehModel
from bokehbench.models.weights import read_checkpoint

#: Constructor arguments that say how a method was trained or started, not what it is.
NOT_ARCHITECTURE = {"stages", "weights", "backbone_pretrained"}
#: Loss terms that came after the first results: named where they are on, so that older results keep their identity.
LATER_TERMS = {"lpips_weight", "smoothness_weight"}
#: Arguments of data sets that say where they are and how they are read, not which pictures they hold.
NOT_DATA = {"root", "num_workers", "sampling_seed", "train_samples", "val_samples"}


def architecture(model: BokehModel) -> dict[str, Any]:
    """Constructor arguments that shape the network."""
    given = {key: value for key, value in dict(model.hparams).items() if not key.startswith("_")}
    off = {key for key in LATER_TERMS if not given.get(key)}
    return {k: v for k, v in given.items() if k not in NOT_ARCHITECTURE | off and not _is_recipe(v)}


def _is_recipe(value: Any) -> bool:
    return is_dataclass(value) or (isinstance(value, Mapping) and "steps" in value)


def data_settings(trainer: Trainer) -> dict[str, Any]:
    """Data set and arguments of this test, as far as they change pictures; no paths."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, SaveConfigCallback):
            return {"data": _data(callback.config.as_dict().get("data"))}
    return {"data": {"class": type(trainer.datamodule).__name__}}  # type: ignore[attr-defined]


def _data(content: Any) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        return {}
    arguments = {k: str(v) if isinstance(v, Path) else v for k, v in dict(content.get("init_args") or {}).items()}
    shown = {k: v for k, v in arguments.items() if k not in NOT_DATA and v is not None}
    return {"class": str(content.get("class_path", "")).rsplit(".", 1)[-1], **shown}


def training_recipe(model: BokehModel, trainer: Trainer) -> dict[str, Any]:
    """Stages that were trained with their recipes, wall time and device (``effort``), data and seed of the run.

    Empty for baselines.
    """
    if not model.trainable:
        return {}
    recipes = {key: value for key, value in dict(model.hparams).items() if _is_recipe(value)}
    stages = {k: asdict(v) if is_dataclass(v) and not isinstance(v, type) else dict(v) for k, v in recipes.items()}
    recipe: dict[str, Any] = {"stages": stages}
    checkpoint = trainer.ckpt_path
    if checkpoint is None:
        return {**recipe, "weights": "untrained"}
    stored = read_checkpoint(Path(checkpoint))
    trained = trained_stages(stored)
    recipe["stages"] = {name: each for name, each in stages.items() if trained is None or name in trained}
    if clock := stored.get("callbacks", {}).get("TrainingClock"):
        recipe["effort"] = dict(clock)
    config = Path(checkpoint).parents[1] / "config.yaml"
    if config.is_file():
        content = yaml.safe_load(config.read_text())
        recipe |= {"data": _data(content.get("data")), "seed": content.get("seed_everything")}
    return recipe


def depth_is_trained(model: BokehModel, trainer: Trainer) -> bool:
    """False for weights of a fit that left the depth stage out and started from nobody's weights."""
    if trainer.ckpt_path is None or "depth" not in [stage.name for stage in model.available]:
        return True
    trained = trained_stages(read_checkpoint(Path(trainer.ckpt_path)))
    return trained is None or "depth" in trained


def trained_stages(checkpoint: Mapping[str, Any]) -> list[str] | None:
    """Stages of its run up to the one in which it was written; None where the run began with weights of another."""
    mark = checkpoint.get("bokehbench", {})
    stages = mark.get("stages")
    if stages is None or checkpoint.get("hyper_parameters", {}).get("weights") is not None:
        return None
    return list(stages[: stages.index(mark["stage"]) + 1] if mark.get("stage") in stages else stages)
