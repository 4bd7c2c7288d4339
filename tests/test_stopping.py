"""Ctrl-C and SIGTERM: one sentence and its exit status; a fit goes on from the step at which it was told to end."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import pandas as pd
import pytest
import torch
from methods import stage_names, words

from bokehbench.cli import main

METHOD, STEPS = "d2f", 4
#: Validation after every second step of a stage.
COMMAND = ["fit", *words(METHOD, steps=STEPS), "--trainer.val_check_interval=2", "--trainer.log_every_n_steps=1"]
KILL = "--trainer.callbacks+=kill_at.SignalAt"


def run(number: int) -> Path:
    return Path("runs", METHOD, f"version_{number}")


def state(folder: Path) -> dict:
    content = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return {"weights": content["state_dict"], "optimiser": content["optimizer_states"]}


def validations(*folders: Path) -> list[tuple[int, float]]:
    tables = [pd.read_csv(folder / "metrics.csv") for folder in folders]
    rows = pd.concat([table[["step", "val/psnr"]].dropna() for table in tables if "val/psnr" in table])
    return [(int(step), round(value, 5)) for step, value in rows.itertuples(index=False)]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory):
    """A fit that nobody stopped; the working folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("stopping"))
        assert main(COMMAND) == 0
        yield run(0)


@pytest.mark.parametrize(
    ("step", "number", "validating"),
    [(5, signal.SIGTERM, False), (6, signal.SIGTERM, True), (7, signal.SIGINT, False), (3, signal.SIGTERM, False)],
)
def test_a_fit_that_is_told_to_end_goes_on_to_the_same_bit(unbroken, capfd, step, number, validating) -> None:
    """In a step, in a validation, at the last step of the last stage and of the first."""
    before = len(list(Path("runs", METHOD).iterdir()))
    options = [KILL, f"--trainer.callbacks.step={step}", f"--trainer.callbacks.number={int(number)}"]
    options += [f"--trainer.callbacks.validating={str(validating).lower()}"]
    capfd.readouterr()
    assert main([*COMMAND, *options]) == 128 + number
    said = capfd.readouterr().err
    assert "Traceback" not in said
    stopped, resumed = run(before), run(before + 1)
    assert str(stopped / "checkpoints" / "last.ckpt") in said
    done = (step if validating else step + 1) - STEPS * (step // STEPS)
    assert f"After step {done} of {stage_names(METHOD)[step // STEPS]} all was saved" in said
    again = shlex.split(said.split("Go on: bokehbench ")[1])
    assert main([word for word in again if not word.startswith("--trainer.callbacks")]) == 0
    found, wanted = state(resumed), state(unbroken)
    for key, value in wanted["weights"].items():
        assert torch.equal(value, found["weights"][key]), key
    for number, moments in wanted["optimiser"][0]["state"].items():
        assert all(torch.equal(value, found["optimiser"][0]["state"][number][key]) for key, value in moments.items())
    assert validations(stopped, resumed) == validations(unbroken)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("test", ["--trainer.callbacks+=kill_at.SignalAtTest"]),
        ("validate", [KILL, "--trainer.callbacks.step=0", "--trainer.callbacks.validating=true"]),
    ],
)
def test_other_verbs_end_with_a_sentence(verb, options, tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([verb, *words("layered"), *options]) == 143
    said = capfd.readouterr().err
    assert "bokehbench: Stopped by SIGTERM." in said
    assert "Traceback" not in said
