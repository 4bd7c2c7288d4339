"""Every sweep file becomes the command line that W&B's agent runs, and that command line runs."""

from __future__ import annotations

import math

import optuna
import pytest
import yaml
from methods import words
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from bokehbench import experiments
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.sweep.definition import read_sweep
from bokehbench.sweep.parameter import parameter

FILES = sorted(path for path in experiments.folder().glob("*.yaml") if "sweep" in experiments.read(path))


def sampled(sweep, seed: int = 0) -> dict[str, object]:
    """Values as a sampler would draw them."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    return sweep.values({each.name: each.drawn(trial) for each in sweep.free})


@pytest.fixture
def printed(capsys):
    """A function: a sweep's name -> the file for W&B that is printed."""

    def ask(name: str) -> dict:
        assert main(["sweep", name, "--print"]) == 0
        return yaml.safe_load(capsys.readouterr().out)

    return ask


def agents_command(content: dict, values: dict[str, object]) -> list[str]:
    """What ``wandb agent`` would start, by W&B's own code."""
    variables = create_sweep_command_args({"args": {name: {"value": value} for name, value in values.items()}})
    command = []
    for word in create_sweep_command(list(content["command"])):
        command += variables[word[2:-1]] if word.startswith("${") else [word]
    return command


def test_every_trainable_method_has_a_sweep() -> None:
    assert {path.stem for path in FILES} == {name for name, kind in MODELS.items() if kind.trainable} | {"methods"}


def test_the_sweep_of_methods_takes_them_from_the_registry(printed) -> None:
    trained = {name for name, kind in MODELS.items() if kind.trainable}
    swept = read_sweep(experiments.find("methods", "sweep"))
    assert {value for each in swept.free if each.name == "model" for value in each.values} == trained
    assert set(printed("methods")["parameters"]["model"]["values"]) == trained


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_agents_command_line_runs(path, printed, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = read_sweep(path)
    values = sampled(sweep)
    command = agents_command(printed(path.stem), values)
    assert command == ["bokehbench", *sweep.command(values)]
    method = next(word.partition("=")[2] for word in command if word.startswith("--model="))
    given = {word.partition("=")[0] for word in command} - {"--model.width"}  # PyNET's full width takes half a minute
    tiny = [word for word in words(method, steps=1)[2:] if word.partition("=")[0] not in given]
    assert main([*command[1:], *tiny, "--trainer.logger=CSVLogger"]) == 0
    (log,) = tmp_path.glob(f"runs/{method}/version_0/metrics.csv")
    assert sweep.metric in log.read_text().splitlines()[0].split(",")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_w_and_b_finds_what_it_needs(path, printed) -> None:
    content = printed(path.stem)
    assert content["program"] == "bokehbench", "the agent looks for it even where a command is given"
    assert "--trainer.logger=WandbLogger" in content["command"]
    assert set(content) <= {"program", "command", "method", "metric", "parameters", "early_terminate"}


@pytest.mark.parametrize(
    ("content", "low", "high", "kind"),
    [
        ({"min": 1, "max": 4}, 1, 4, int),
        ({"min": 0.5, "max": 4}, 0.5, 4, float),
        ({"distribution": "log_uniform_values", "min": 1.0e-4, "max": 1.0e-2}, 1e-4, 1e-2, float),
        ({"distribution": "log_uniform", "min": -3, "max": 0}, math.exp(-3), 1, float),
        ({"distribution": "q_uniform", "min": 10, "max": 100, "q": 10}, 10, 100, int),
        ({"distribution": "q_log_uniform_values", "min": 0.1, "max": 10, "q": 0.1}, 0.1, 10, float),
    ],
)
def test_draws_are_within_bounds(content, low, high, kind) -> None:
    drawn = parameter("x", content, "here")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    values = [drawn.value(drawn.drawn(study.ask())) for _ in range(50)]
    assert all(low * 0.999 <= value <= high * 1.001 and isinstance(value, kind) for value in values)
    assert len(set(values)) > 3
    if "q" in content:
        assert all(abs(value / content["q"] - round(value / content["q"])) < 1e-6 for value in values)


def test_lists_and_switches_survive() -> None:
    drawn = parameter("x", {"values": [[0.6, 0.85], [], True, None, "l1"]}, "here")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    values = [drawn.value(drawn.drawn(study.ask())) for _ in range(60)]
    assert all(any(value == each for value in values) for each in drawn.values)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "genetic"}, "no method 'genetic'"),
        ({"metric": None}, "needs a metric"),
        ({"parameters": {}}, "nothing to sweep"),
        ({"parameters": {"seed_everything": {"value": 1}}}, "nothing to sweep"),
        ({"command": ["python", "train.py", "${args}"]}, "runs no `bokehbench fit`"),
        ({"command": ["bokehbench", "fit"]}, "runs no `bokehbench fit`"),
        ({"parameters": {"a": {"distribution": "beta", "min": 0, "max": 1}}}, "'beta' works with `wandb agent` only"),
        ({"parameters": {"a": {"parameters": {"b": {"value": 1}}}}}, "works with `wandb agent` only"),
        ({"parameters": {"a": {"min": "1e-4", "max": "x"}}}, "must be a number each"),
        ({"parameters": {"a": {"min": 3, "max": 1}}}, "do not bound"),
        ({"method": "grid", "parameters": {"a": {"min": 0.5, "max": 1}}}, "a grid needs"),
    ],
)
def test_what_cannot_run_here_is_a_sentence(tmp_path, change, said) -> None:
    content = {
        "method": "random", "metric": {"name": "val/psnr", "goal": "maximize"},
        "command": ["${env}", "bokehbench", "fit", "${args}"], "parameters": {"seed_everything": {"values": [1, 2]}},
    }  # fmt: skip
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    assert read_sweep(path).words == ("fit", "${args}")
    path.write_text(yaml.safe_dump({**content, **change}))
    with pytest.raises(BokehbenchError, match=r"mine\.yaml") as caught:
        read_sweep(path)
    assert said in str(caught.value)


def test_an_unknown_sweep_is_named() -> None:
    with pytest.raises(BokehbenchError, match="did you mean 'deeplens'"):
        experiments.find("deeplens_", "sweep")
