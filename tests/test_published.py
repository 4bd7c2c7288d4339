"""Configurations that follow a paper say in the comment above them what differs, and what the paper does not tell."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from methods import TRAINABLE, stage_names
from test_experiments import DATA, NAMES

from bokehbench import experiments
from bokehbench.cli import main
from bokehbench.experiments import configuration
from bokehbench.models import MODELS

DEVIATES, OURS, BESIDES = "Deviates from what is published", "Not published, ours", "Besides"
#: Words by which a head claims to follow what others published.
CLAIM = re.compile(r"as in the paper|publish|as released|released code", re.I)
#: Ways to run that change nothing about what is learned.
WATCHING = {"val_check_interval", "accelerator", "log_every_n_steps"}


def head(stem: str) -> dict[str, str]:
    """The comment above a configuration: its labelled parts, which go on in indented lines, and the rest as ``""``."""
    parts, label = {"": ""}, ""
    recipe, _, variant = stem.partition("_")
    lines = (experiments.folder() / f"{recipe}.yaml").read_text().splitlines()
    end = next(number for number, line in enumerate(lines) if line.startswith(f"  {variant}:"))
    start = next(number for number in range(end, 0, -1) if not lines[number - 1].startswith("  #"))
    for line in (line.removeprefix("  ") for line in lines[start:end]):
        if begins := re.match(rf"# ({DEVIATES}|{OURS}|{BESIDES}): ", line):
            label, line = begins[1], line[begins.end() :]
            parts[label] = ""
        elif not line.startswith("#   "):
            label = ""
        parts[label] = f"{parts[label]} {line.lstrip('# ')}".strip()
    return parts


def settings(stem: str, capsys, *more: str) -> dict[str, Any]:
    """All settings that decide what a run learns, as ``Published.training`` spells them; defaults included."""
    with pytest.raises(SystemExit):
        main(["fit", "--config", stem, *more, "--print_config"])
    run, file = yaml.safe_load(capsys.readouterr().out), configuration(stem)
    published = MODELS[file["model"]["class_path"].lower()].published
    trainer = {key: run["trainer"][key] for key in file["trainer"] if key not in WATCHING} if "trainer" in file else {}
    found = {**trainer, "precision": run["trainer"]["precision"] or "32-true"}
    arguments, data = run["model"]["init_args"], run["data"]
    stages, _ = arguments.pop("stages") or stage_names(file["model"]["class_path"].lower()), arguments.pop("weights")
    idle_stages = {key for key, value in arguments.items() if isinstance(value, dict)} - set(stages)
    for key, value in arguments.items():
        if not isinstance(value, dict):
            found |= {} if key.partition("_")[0] in idle_stages else {key: value}
        elif key in stages:
            idle = ["decay"] * (not value["decay_at"]) + ["height", "width"] * (value["view"] == "native")
            value["data"] = data["class_path"].rpartition(".")[2]
            found |= {f"{key}.{field}": each for field, each in value.items() if field not in idle}
    said = file["data"].get("init_args", {})
    options = {
        f"data.{key}": value
        for key, value in data["init_args"].items()
        if key in said or published.values(f"data.{key}")
    }
    return found | options


def shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def merged(said: dict[str, str], stages: set[str]) -> str:
    """``depth.clip 1; rendering.clip 1`` as ``*.clip 1``, where all stages have it alike."""
    lines: list[str] = []
    for setting, text in said.items():
        stage, _, key = setting.rpartition(".")
        alike = len(stages) > 1 and stage in stages and all(said.get(f"{each}.{key}") == text for each in stages)
        lines.append(f"{f'*.{key}' if alike else setting} {text}")
    return "; ".join(dict.fromkeys(lines)) or "nothing"


def parts(stem: str, capsys, *more: str) -> dict[str, str]:
    """What the head must say: deviations, and what is on without being known from a publication."""
    published = MODELS[configuration(stem)["model"]["class_path"].lower()].published
    differs, ours, found = {}, {}, settings(stem, capsys, *more)
    for setting, value in found.items():
        known = published.values(setting)
        if known and value != known[0]:
            differs[setting] = f"{shown(value)} (published: {shown(known[0])})"
        elif not known and value and value not in ("none", "32-true"):
            ours[setting] = shown(value)
    stages = {setting.rpartition(".")[0] for setting in found if setting.endswith(".steps")}
    return {DEVIATES: merged(differs, stages), OURS: merged(ours, stages)}


FOLLOWING = [stem for stem in NAMES if DEVIATES in head(stem)]


@pytest.mark.parametrize("stem", FOLLOWING)
def test_the_head_lists_every_deviation_and_every_choice_of_ours(stem, capsys) -> None:
    said, expected = head(stem), parts(stem, capsys)
    assert {label: said.get(label) for label in expected} == expected


@pytest.mark.parametrize("stem", NAMES)
def test_who_claims_to_follow_a_publication_has_that_list(stem) -> None:
    recipes = {f"{method}_{data}" for method in TRAINABLE for data, _ in DATA.values()}
    assert stem in FOLLOWING or not (stem in recipes or CLAIM.search(head(stem)[""]))


@pytest.mark.parametrize(
    ("stem", "change", "label"),
    [
        ("pynet_official_start", ["--trainer.precision", "bf16-mixed"], DEVIATES),
        ("pynet_official_start", ["--model.margin", "16"], DEVIATES),
        ("pynet_ebb", ["--model.level_1.batch_size", "4"], DEVIATES),
        ("deeplens_synthetic", ["--model.rendering.steps", "1000"], DEVIATES),
        ("deeplens_synthetic", ["--data.disparity_input", "clean"], DEVIATES),
        ("deeplens_synthetic", ["--model.depth.batch_size", "8"], OURS),
        ("d2f_ebb", ["--trainer.precision", "32-true"], OURS),
        ("d2f_ebb", ["--model.poisson_weight", "0.5"], OURS),
        ("d2f_ebb", ["--model.lpips_weight", "0.1"], OURS),
    ],
)  # fmt: skip
def test_a_changed_setting_is_another_list(stem, change, label, capsys) -> None:
    assert parts(stem, capsys, *change)[label] != head(stem)[label]


@pytest.mark.parametrize("method", TRAINABLE)
def test_what_is_published_of_the_training_are_settings_of_its_configurations(method, capsys) -> None:
    found = {key for stem in FOLLOWING if stem.startswith(f"{method}_") for key in settings(stem, capsys)}
    unknown = set(MODELS[method].published.training) - found - {f"*.{key.rpartition('.')[2]}" for key in found}
    assert {key for key in unknown if not key.endswith(".decay")} == set(), "decay is idle without decay_at"
