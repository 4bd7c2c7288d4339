"""What the progress bar of a fit says, through the command line."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from methods import words

from bokehbench.callbacks import progress
from bokehbench.cli import main
from bokehbench.models.base import BokehModel

STEP, PICTURE = 10.0, 30.0


@pytest.fixture(autouse=True)
def _clock(tmp_path, monkeypatch) -> None:
    """The bar's clock: a training step takes ``STEP`` seconds, a validation picture ``PICTURE``."""
    seconds = 0.0
    monkeypatch.chdir(tmp_path)

    def slowed(method: str, by: float) -> None:
        original = getattr(BokehModel, method)

        def step(*args: object) -> object:
            nonlocal seconds
            seconds += by
            return original(*args)

        monkeypatch.setattr(BokehModel, method, step)

    slowed("training_step", STEP)
    slowed("validation_step", PICTURE)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: seconds))


#: Two stages of 4 steps, 2 validation pictures.
FIT = ["fit", *words("deeplens", steps=4), "--trainer.enable_progress_bar=true"]


def shown(capfd) -> list[tuple[str, str, str]]:
    """Stage, batches done and time left, as the bar showed them."""
    bar = r"(\w+) \(stage \d of 2, [\d-]+ %\):[^\r\n]* (\d)/4 \[[^\r\n]*, (\S+) left of the fit"
    return list(dict.fromkeys(re.findall(bar, capfd.readouterr().out)))


def test_the_bar_shows_the_time_left_of_all_stages_and_validations(capfd) -> None:
    assert main([*FIT, "--trainer.val_check_interval=2"]) == 0
    assert shown(capfd) == [
        ("depth", "1", "01:10"),  # 3 steps, then 4; how long a validation takes is not known yet
        ("depth", "2", "01:00"),
        ("depth", "3", "03:50"),  # 5 steps, 3 validations of a minute
        ("depth", "4", "03:40"),
        ("rendering", "1", "02:30"),
        ("rendering", "2", "02:20"),
        ("rendering", "3", "01:10"),
        ("rendering", "4", "01:00"),
    ]


def test_the_bar_of_a_resumed_fit_counts_what_is_left(capfd, monkeypatch) -> None:
    often = ["--trainer.callbacks=bokehbench.callbacks.StageCheckpoints", "--trainer.callbacks.every_n_steps=1"]
    stop = ["--trainer.callbacks+=kill_at.StopAt", "--trainer.callbacks.step=2"]
    with pytest.raises(ZeroDivisionError):
        main([*FIT, *often, *stop])
    assert shown(capfd)[-1] == ("depth", "2", "01:00")
    resume = ["--checkpoint=runs/deeplens/version_0/checkpoints/last.ckpt"]
    assert main([*FIT, *resume]) == 0
    # The bar of the fit that stopped may be drawn once more, when it is collected
    assert [each for each in shown(capfd) if each != ("depth", "2", "01:00")] == [
        ("depth", "3", "00:50"),
        ("depth", "4", "00:40"),
        ("rendering", "1", "01:30"),  # 3 steps and, as always at a stage's end, a validation
        ("rendering", "2", "01:20"),
        ("rendering", "3", "01:10"),
        ("rendering", "4", "01:00"),
    ]
