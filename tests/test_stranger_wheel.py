"""A method and a data set of another wheel do what ours do, by command line, from a folder without any checkout."""

from __future__ import annotations

import csv
import signal
from pathlib import Path

import pytest
import torch
import yaml
from installed import Installed, build_wheel
from made_boards import make_board
from makers import picture, ramp, save
from PIL import Image
from strangers import STRANGER

STEPS, KILLED_AT = 6, 3
QUIET = ("--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false")
FIT = (
    "fit", "--model", "shade", "--data", "ramps", f"--model.rendering.steps={STEPS}", *QUIET,
    "--trainer.callbacks=bokehbench.callbacks.StageCheckpoints", "--trainer.callbacks.every_n_steps=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(installed: Installed, home: Path):
    """``bokehbench WORDS`` in ``home``, with both wheels installed: what it prints."""
    installed.install(build_wheel(STRANGER, home / "wheel"))
    return lambda *words: installed.bokehbench(*words, cwd=home)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def last(run, home) -> Path:
    """The last checkpoint of a fit."""
    assert "Next: bokehbench render PHOTO --model shade" in run(*FIT)
    return home / "runs" / "shade" / "version_0" / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="module")
def board(home) -> Path:
    """Where boards are looked for: ``home/leaderboards``."""
    data = {"name": "ramps", "arguments": {"side": 24}}
    return make_board(home, protocol="bokehme", count=2, ids=None, data=data, columns=["psnr"])


@pytest.fixture(scope="module")
def suite(run, board, home) -> Path:
    """The folder of a suite that has fitted and tested the method."""
    content = {"board": "tiny", "fit": {"data": "ramps"}, "experiments": ["shade"]}
    (home / "far.yaml").write_text(yaml.safe_dump(content))
    assert "fit and test done" in run("benchmark", "far.yaml", "--trainer.accelerator=cpu", "--pictures", "2")
    return home / "runs" / "suites" / "far"


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return torch.load(checkpoint, weights_only=True)["state_dict"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_fit_goes_on_to_the_same_bits(run, installed, last, home) -> None:
    kill = ("--trainer.callbacks+=kill_at.KillAt", f"--trainer.callbacks.step={KILLED_AT}")
    folder = "--trainer.default_root_dir=killed"
    done = installed.run("bokehbench", *FIT, folder, *kill, cwd=home, more={"PYTHONPATH": str(Path(__file__).parent)})
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = (home / "killed").rglob("last.ckpt")
    assert torch.load(left, weights_only=True)["global_step"] == KILLED_AT
    run(*FIT, "--trainer.default_root_dir=resumed", "--checkpoint", str(left))
    (resumed,) = (home / "resumed").rglob("last.ckpt")
    expected, found = weights(last), weights(resumed)
    assert expected.keys() == found.keys()
    assert all(torch.equal(value, found[key]) for key, value in expected.items())
    assert not all(torch.equal(value, weights(left)[key]) for key, value in expected.items())


def test_test_and_predict(run, last, home) -> None:
    run("test", "--checkpoint", str(last), "--data", "ramps", *QUIET, "--trainer.default_root_dir=tested")
    (table,) = (home / "tested").rglob("test.csv")
    assert [row["name"] for row in rows(table)] == ["000", "001"]
    run("predict", "--checkpoint", str(last), "--data", "ramps", *QUIET, "--trainer.default_root_dir=predicted")
    assert len(list((home / "predicted").rglob("*.png"))) == 2


def test_render(run, last, home) -> None:
    photo, depth = save(home / "photo.png", picture(1, (20, 24))), save(home / "depth.png", ramp((20, 24)))
    run("render", str(photo), "--model", "shade", "--disparity", str(depth), "-o", "out.png")
    assert Image.open(home / "out.png").size == (24, 20)


def test_suite_board_verify_and_report(run, suite, board, home) -> None:
    (row,) = rows(suite / "table.csv")
    assert (row["method"], row["column"], row["pictures"]) == ("Shade", "psnr", "2")
    (checkpoint,) = suite.rglob("last.ckpt")
    said = run("leaderboard", "verify", row["result"], "--checkpoint", str(checkpoint), "--device", "cpu")
    assert row["result"] in said
    assert "no problems" in run("leaderboard", "check")
    run("report", "tiny", "-o", "site", "--work", str(suite))
    assert "Shade" in (home / "site" / "index.html").read_text()


def test_sweep(run, home) -> None:
    content = {
        "method": "grid", "metric": {"name": "val/psnr", "goal": "maximize"},
        "parameters": {"model.kernel": {"values": [1, 3]}},
        "command": ["bokehbench", "fit", "--model=shade", "--data=ramps", "${args}"],
    }  # fmt: skip
    (home / "kernels.yaml").write_text(yaml.safe_dump(content))
    assert "Best: trial" in run("sweep", "kernels.yaml", "--trainer.accelerator=cpu")
    found = rows(home / "runs" / "sweeps" / "kernels" / "trials.csv")
    assert [row["model.kernel"] for row in found] == ["1", "3"]
    assert all(float(row["val/psnr"]) > 0 for row in found)
