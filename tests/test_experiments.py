"""Every configuration of ``experiments/``: it is there, and one step of it runs through the command line.

Suites and sweeps have tests of their own (tests/suite/test_suite_file.py, tests/sweep).
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from makers import make_ebb, make_pairs, make_rgbd
from methods import SMALL, TRAINABLE, stage_names

from bokehbench import experiments
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.experiments import configuration
from bokehbench.models import MODELS

NAMES = sorted(experiments.names())
SIDE = 64
#: How variants are named after data sets, and what makes each data set tiny.
DATA: dict[str, tuple[str, dict[str, object]]] = {
    "SyntheticDoF": ("synthetic", {"size": SIDE, "aperture": 8, "train_samples": 2}),
    "EBB": ("ebb", {"root": "ebb"}),
    "IPhoneDepth": ("iphone_depth", {"root": "iphone_depth", "train_fraction": 0.5}),
    "Pairs": ("pairs", {"root": "pairs", "aperture": 20.0}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One tiny folder per data set that needs files, and the place where runs go."""
    root = tmp_path_factory.mktemp("experiments")
    size = (SIDE, SIDE)
    make_ebb(root / "ebb", ids=(0, 4350, 4400), size=size)
    make_rgbd(root / "iphone_depth", names=("a", "b"), size=size)
    make_pairs(root / "pairs", names=("a", "b"), size=size, disparity=True)
    return root


def below(stem: str) -> list[str]:
    """What ``--config`` needs: an ablation goes on top of its method's EBB variant."""
    method, _, ablation = stem.partition("_ablation_")
    return [f"{method}_ebb", stem] if ablation else [stem]


def in_small(stem: str) -> list[str]:
    """Command-line words that run one step of every stage of a configuration, as it is but for sizes."""
    settings: dict = {}
    for name in below(stem):
        settings |= {
            key: value for key, value in configuration(name).items() if key != "model" or "model" not in settings
        }
    options: dict[str, object] = {
        "trainer.accelerator": "cpu", "trainer.devices": 1, "trainer.logger": "false", "trainer.limit_val_batches": 1,
        "trainer.enable_progress_bar": "false", "trainer.enable_checkpointing": "false", "trainer.precision": "32-true",
        "trainer.num_sanity_val_steps": 0, "trainer.val_check_interval": 1, "data.num_workers": 0,
    }  # fmt: skip
    data = settings["data"]["class_path"]
    options |= {f"data.{key}": value for key, value in DATA[data][1].items()}
    if data == "SyntheticDoF":
        options |= {"data.val_samples": 1, "data.test_samples": 1}
    if "model" not in settings:
        return ["--config", stem, "--model", "identity", *(f"--{key}={value}" for key, value in options.items())]
    model, given = settings["model"]["class_path"].lower(), settings["model"]["init_args"]
    options |= {f"model.{key}": value for key, value in SMALL.get(model, {}).items()}
    if "backbone_pretrained" in given:
        options["model.backbone_pretrained"] = "false"
    for stage in stage_names(model):
        sizes = {"steps": 1, "batch_size": 2, "height": SIDE, "width": SIDE}
        options |= {f"model.{stage}.{key}": value for key, value in sizes.items()}
    words = [word for name in below(stem) for word in ("--config", name)]
    return [*words, *(f"--{key}={value}" for key, value in options.items())]


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("method", TRAINABLE)
def test_every_method_has_a_variant_for_every_data_set(method, data) -> None:
    recipe = configuration(f"{method}_{DATA[data][0]}")
    assert recipe["model"]["class_path"] == MODELS[method].__name__
    assert recipe["data"]["class_path"] == data


@pytest.mark.parametrize("method", TRAINABLE)
def test_every_method_has_a_variant_of_minutes(method) -> None:
    recipe = configuration(f"{method}_quick")
    assert recipe["model"]["class_path"] == MODELS[method].__name__
    assert recipe["data"]["class_path"] == "SyntheticDoF"


@pytest.mark.parametrize("stem", NAMES)
def test_one_step_of_it_runs(stem, folders: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(folders)
    verb = "test" if "model" not in configuration(stem) else "fit"
    assert main([verb, *in_small(stem)]) == 0, capsys.readouterr().err


def test_an_ablation_changes_its_switch_alone_in_the_recipe_before_it(capsys) -> None:
    words = ["fit", "--config", "d2f_ebb", "--config", "d2f_ablation_radiance_off", "--print_config"]
    with pytest.raises(SystemExit):
        main(words)
    options = yaml.safe_load(capsys.readouterr().out)["model"]["init_args"]
    assert options["radiance"] == "off"
    assert options["backbone_pretrained"] is True
    assert options["rendering"]["steps"] == 44_000


def test_who_changes_the_settings_of_a_configuration_changes_their_own() -> None:
    configuration("deeplens_quick")["model"]["class_path"] = "Other"
    assert configuration("deeplens_quick")["model"]["class_path"] == "DeepLens"


MINE = """
common: {seed_everything: 3, model: {class_path: DeepLens}}
variants:
  small:
    model: {init_args: {depth: {steps: 2, batch_size: 1}}}
    data: {class_path: SyntheticDoF, init_args: {size: 64}}
  pairs:
    like: small
    model: {init_args: {depth: {steps: 5}}}
    data: {class_path: Pairs}
"""


def test_a_variant_is_merged_over_what_is_common_or_over_another(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(MINE)
    assert configuration("mine.yaml:pairs") == {
        "seed_everything": 3,
        "model": {"class_path": "DeepLens", "init_args": {"depth": {"steps": 5, "batch_size": 1}}},
        "data": {"class_path": "Pairs"},  # nothing of the other class's settings
    }
    with pytest.raises(SystemExit):
        main(["fit", "--config", "mine.yaml:small", "--print_config"])
    settings = yaml.safe_load(capsys.readouterr().out)
    assert settings["seed_everything"] == 3
    assert settings["model"]["init_args"]["depth"]["steps"] == 2
    assert settings["data"]["init_args"]["size"] == 64


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.yaml", MINE, "no configuration 'mine.yaml'.*mine.yaml:pairs, mine.yaml:small"),
        ("mine.yaml:smal", MINE, "did you mean 'mine.yaml:small'"),
        ("mine.yaml:x", "variants: {x: {like: y}, y: {}}", "x: 'like' names a variant above it, not 'y'"),
        ("mine.yaml:x", "variants: {x: 3}", "'variants' and each variant are mappings"),
        ("experiments/deeplens_quick.yaml", MINE, "did you mean 'deeplens_quick'"),
        ("deeplens", MINE, "no configuration 'deeplens'; did you mean 'deeplens_"),
    ],
)
def test_what_is_no_configuration_is_a_sentence(tmp_path, monkeypatch, name, content, said) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(content)
    with pytest.raises(BokehbenchError, match=said):
        configuration(name)
