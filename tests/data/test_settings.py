"""What a data set says of itself: the settings that decide its pictures, under present and former names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning.cli import LightningCLI

from bokehbench.data import DATA, open_data
from bokehbench.data.base import BokehDataModule
from bokehbench.data.ebb import EBB
from bokehbench.models.base import BokehModel
from bokehbench.names import as_first_recorded, options_of

#: Options that are no setting, by data set; others of these names are the same in all.
READING = {"root", "num_workers", "sampling_seed", "train_samples", "val_samples"}
#: Per data set, options as one would type them, and how they are shown.
TYPED = {
    "blb": ({"convention": "normalised", "levels": "[4]"}, {"levels": [4], "convention": "normalised"}),
    "control": ({"scenes": "2"}, {"size": 320, "scenes": 2, "scene_seed": 0}),
    "ebb": ({"focus": "1", "aperture_at_1024": "30"}, {"focus": 1.0, "aperture_at_1024": 30.0}),
    "iphonedepth": ({"saliency_roots": "[a, b]"}, {"saliency_roots": ["a", "b"], "max_aperture_at_1024": 25.6}),
    "pairs": ({"focus": "0.5"}, {"focus": 0.5, "input": "input"}),
    "realbokeh": (
        {"f_numbers": "[2,2.8]", "aperture_at_1024": "30"},
        {"f_numbers": [2.0, 2.8], "aperture_at_1024": 30.0, "f_number_from": "both"},
    ),
    "vabd": ({"f_numbers": "[8]", "focus": "1"}, {"f_numbers": [8.0], "focus": 1.0, "val_fraction": 0.1}),
    "syntheticdof": ({"size": "[48, 56]", "aperture": "8"}, {"size": [48, 56], "aperture": 8.0, "test_samples": 500}),
}


def typed(name: str, options: dict[str, str]) -> BokehDataModule:
    """The data set as the command line makes it."""
    words = [f"--data=bokehbench.data.{DATA[name].__name__}", *(f"--data.{k}={v}" for k, v in options.items())]
    model = ["--model=bokehbench.models.Identity"]
    cli = LightningCLI(
        BokehModel, BokehDataModule, subclass_mode_model=True, subclass_mode_data=True, run=False,
        args=model + words, save_config_callback=None, trainer_defaults={"logger": False, "accelerator": "cpu"},
    )  # fmt: skip
    return cli.datamodule


@pytest.mark.parametrize("name", DATA)
def test_settings_are_the_options_that_change_pictures(name: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"num_workers": 0, "sampling_seed": 3} | (
        {} if DATA[name].synthetic else {"root": tmp_path}
    )
    settings = open_data(name, **options).settings()
    defaults = {k: p.default for k, p in options_of(DATA[name]).items()}
    wanted = {k: v for k, v in defaults.items() if k != "self" and k not in READING and v is not None}
    wanted |= {k: settings[k] for k, v in wanted.items() if v == "auto" and k in settings}  # as it was decided
    assert settings == {"class": DATA[name].__name__, **wanted}
    assert json.loads(json.dumps(settings)) == settings


@pytest.mark.parametrize("name", DATA)
def test_settings_are_the_same_from_python_and_from_the_command_line(name: str) -> None:
    words, shown = TYPED[name]
    made = typed(name, words).settings()
    assert made.items() >= shown.items()
    python = {key: value for key, value in shown.items() if key in words}
    python |= {key: int(value) for key, value in python.items() if isinstance(value, float) and value.is_integer()}
    assert json.dumps(open_data(name, **python).settings()) == json.dumps(made)


@pytest.mark.parametrize(
    ("name", "former", "present"),
    [
        ("syntheticdof", {"blur_radius": 4.0}, {"aperture": 4.0}),
        ("ebb", {"aperture": 30.0}, {"aperture_at_1024": 30.0}),
        ("pairs", {"aperture": 30.0}, {"aperture_at_1024": 30.0}),
        (
            "iphonedepth",
            {"min_aperture": 1.0, "max_aperture": 2.0},
            {"min_aperture_at_1024": 1.0, "max_aperture_at_1024": 2.0},
        ),
    ],
)
def test_former_names_of_options_are_understood(name: str, former: dict[str, Any], present: dict[str, Any]) -> None:
    settings = open_data(name, **former).settings()
    assert settings == open_data(name, **present).settings()
    assert settings.items() >= present.items()
    assert as_first_recorded(settings).items() >= former.items(), "ids are made of the first names"


def test_a_data_set_of_ones_own_has_its_options_too() -> None:
    class Foggy(EBB):
        def __init__(self, fog: float = 0.5, folder: Path = Path("here"), **options: Any) -> None:
            super().__init__(**options)
            self.fog = fog

    settings = Foggy(fog=1, hold_out=False, num_workers=0).settings()
    assert settings["class"] == "Foggy"
    assert settings["fog"] == 1.0
    assert settings["folder"] == "here"
    assert settings["hold_out"] is False
    assert settings["aperture_at_1024"] == 26.0
