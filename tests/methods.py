"""How small each method can be made for tests: ``from methods import NAMES, tiny``."""

from __future__ import annotations

from pathlib import Path

from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import StageRecipe

NAMES = sorted(MODELS)
#: The methods that have stages; the others are baselines.
TRAINABLE = [name for name in NAMES if MODELS[name].trainable]

#: Constructor arguments that keep the topology and shrink the rest; a method not listed is tested as it is.
SMALL: dict[str, dict[str, object]] = {
    "aperture": {"depth_size": 64},
    "bokehme": {"width": 12, "upsampling_width": 8},
    "d2f": {"backbone": "test_resnet", "channels": 16},
    "deeplens": {"depth_size": 64, "channels": 8, "upsampling_channels": 8},
    "external": {"description": str(Path(__file__).parent / "external" / "toy.yaml")},
    "pix2pix": {"width": 8, "levels": 5},
    "pynet": {"width": 3, "perceptual": "none"},
}


def stage_names(name: str) -> list[str]:
    """All stages of a method."""
    return [stage.name for stage in MODELS[name](**SMALL.get(name, {})).stages]


def tiny(name: str, steps: int = 2, **more: object) -> BokehModel:
    """A method with the smallest network and stages of ``steps`` steps on 64 px pictures."""
    recipe = StageRecipe(steps=steps, batch_size=2, learning_rate=1e-3, view="crop", height=64, width=64)
    stages = dict.fromkeys(stage_names(name), recipe)
    return MODELS[name](**SMALL.get(name, {}), **stages, **more)


def options(name: str) -> list[str]:
    """The method for the command line, with the smallest network."""
    return ["--model", name, *(f"--model.{key}={value}" for key, value in SMALL.get(name, {}).items())]


def words(name: str, steps: int = 2) -> list[str]:
    """The same for the command line, with synthetic scenes of 64 px."""
    options: dict[str, object] = {f"model.{key}": value for key, value in SMALL.get(name, {}).items()}
    for stage in stage_names(name):
        for key, value in {"steps": steps, "batch_size": 2, "view": "crop", "height": 64, "width": 64}.items():
            options[f"model.{stage}.{key}"] = value
    options |= {"data.size": 64, "data.aperture": 8, "data.val_samples": 2, "data.test_samples": 3}
    options |= {"data.num_workers": 0, "trainer.accelerator": "cpu", "trainer.enable_progress_bar": "false"}
    return ["--model", name, *(f"--{key}={value}" for key, value in options.items())]
