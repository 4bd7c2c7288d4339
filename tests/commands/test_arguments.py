"""Names, recipes and what is refused before anything starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from methods import NAMES, TRAINABLE

from bokehbench import experiments
from bokehbench.cli import main
from bokehbench.commands.arguments import prepare, take
from bokehbench.errors import BokehbenchError
from bokehbench.verbs import VERBS


def test_help_lists_every_verb_and_loads_nothing_slow() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bokehbench", "--help"], capture_output=True, text=True
    )
    assert all(verb in done.stdout for verb in VERBS)
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "bokehbench.cli" in loaded
    assert not loaded & {"torch", "numpy", "pandas", "matplotlib", "jsonargparse", "pytorch_lightning"}


def test_unknown_verb_is_answered_with_the_nearest(capsys) -> None:
    assert main(["fitt"]) == 2
    assert "did you mean 'fit'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--model", "deeplense"], "deeplens"),
        (["--model", "deeplens", "--data", "eb"], "ebb"),
        (["--model", "deeplens", "--config", "deeplens_sinthetic"], "deeplens_synthetic"),
        ([], "Which method"),
        (["--model"], "needs a value"),
    ],
)
def test_mistyped_names_are_answered_with_the_known(words, hint, capsys) -> None:
    assert main(["fit", *words]) == 2
    assert hint in capsys.readouterr().err


def test_unknown_option_is_one_sentence(capsys) -> None:
    assert main(["fit", "--model", "deeplens", "--model.chanels", "3"]) == 2
    error = capsys.readouterr().err
    assert "chanels" in error
    assert len(error) < 600


def test_a_config_of_one_method_with_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"model": {"class_path": "D2F"}}))
    with pytest.raises(BokehbenchError, match="give the same method"):
        prepare(["fit", "--model", "deeplens", "--config", str(path)])


def test_options_may_stand_before_the_name() -> None:
    words, _ = prepare(["fit", "--model.stages=[depth]", "--model", "deeplens"])
    assert words.index("--model") < words.index("--model.stages=[depth]")


def test_take_understands_both_spellings() -> None:
    assert take(["--a", "1", "x", "--a=2", "--ab=3"], ("--a",)) == (["x", "--ab=3"], ["1", "2"])


def test_max_epochs_is_refused_with_the_remedy(capsys) -> None:
    assert main(["fit", "--model", "deeplens", "--trainer.max_epochs=3"]) == 2
    assert "steps" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_print_config_holds_every_setting(name, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["fit", "--model", name, "--print_config"])
    settings = yaml.safe_load(capsys.readouterr().out)
    assert settings["model"]["class_path"].lower().endswith(name)
    assert settings["data"]["class_path"].endswith("SyntheticDoF")


@pytest.mark.parametrize("name", sorted(experiments.names()))
def test_every_configuration_of_ours_is_understood(name: str, capsys) -> None:
    method = [] if "model" in experiments.configuration(name) else ["--model", "identity"]
    with pytest.raises(SystemExit) as stopped:
        main(["fit", *method, "--config", name, "--print_config"])
    assert stopped.value.code in (0, None), capsys.readouterr().err
    assert yaml.safe_load(capsys.readouterr().out)["model"]["class_path"]


@pytest.mark.parametrize("name", TRAINABLE)
def test_every_method_has_a_quick_recipe_and_the_papers(name) -> None:
    assert {f"{name}_quick", f"{name}_synthetic", f"{name}_ebb"} <= set(experiments.names())
