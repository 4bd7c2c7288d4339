"""``benchmarks/gpu.py`` on the CPU: each part writes its lines, and what was not reached says so."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from forked import SUBPROCESS, Popen

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
METHODS = ("pix2pix", "identity")
SMALL = ("--device", "cpu", "--small", "--sizes", "64", "--ways", "eager", "channels-last", "--methods", *METHODS)


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[..., str]]:
    """The script in this process, its parts in forked ones: an output folder and words -> what it prints."""
    before = signal.getsignal(signal.SIGTERM)

    def run(output: Path, *words: str) -> str:
        patch.setattr(sys, "argv", ["gpu.py", *SMALL, "--output", str(output), *words])
        with redirect_stdout(StringIO()) as said:
            gpu.main()
        return said.getvalue()

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        gpu, gpu_training = (importlib.import_module(name) for name in ("gpu", "gpu_training"))
        for module in (gpu, gpu_training):
            patch.setattr(module, "subprocess", SUBPROCESS)
        yield run
    signal.signal(signal.SIGTERM, before)


def results(output: Path) -> dict[str, Any]:
    return json.loads((output / "results.json").read_text())


@pytest.fixture(scope="module")
def done(script, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run writes that has time enough."""
    output = tmp_path_factory.mktemp("gpu")
    said = script(output, "--minutes", "20")
    assert said.strip() == (output / "results.md").read_text().strip()
    return output


def test_every_method_is_compared_in_both_precisions(done: Path) -> None:
    lines = results(done)["same"]
    assert [line["unit"] for line in lines] == [f"{name}, {each}" for name in METHODS for each in ("fp32", "bf16")]
    assert not any("problem" in line for line in lines)
    trained, untrained = lines[0], lines[2]
    assert [trained[kind] for kind in ("pictures", "losses", "gradients", "scores")] == [0, 0, 0, 0]  # itself
    assert (untrained["losses"], untrained["gradients"]) == (None, None)
    assert lines[1]["pictures"] > 0
    assert all(line["within"] is True for line in lines)


def test_renders_and_steps_are_timed(done: Path) -> None:
    lines = results(done)["speed"]
    assert not any("problem" in line for line in lines)
    found = {(line["what"], line["way"], line["precision"]) for line in lines}
    whats = ("render 64 px", "step of depth, 2 x 64 px", "step of rendering, 2 x 64 px")
    assert found == {(w, way, p) for w in whats for way in ("eager", "channels-last") for p in ("tf32", "bf16")}
    assert all(line["median_ms"] > 0 and line["first_s"] > 0 and line["runs"] >= 3 for line in lines)


def test_training_leaves_weights_that_the_next_goes_on_from(script, done: Path, tmp_path: Path) -> None:
    (line,) = results(done)["training"]
    assert (line["from_step"], line["to_step"], line["weights"]) == (0, 4, "last.ckpt")
    # The same command, killed after two of the four steps
    words = [*line["command"].split(), f"--trainer.default_root_dir={tmp_path}"]
    words += ["--trainer.callbacks+=kill_at.KillAt", "--trainer.callbacks.step=2"]
    assert Popen([sys.executable, *words], cwd=tmp_path).wait(380) == -signal.SIGKILL
    begun = tmp_path / "deeplens" / "version_0" / "checkpoints" / "last.ckpt"
    script(tmp_path / "again", "--minutes", "20", "--parts", "training", "--start", str(begun))
    (again,) = results(tmp_path / "again")["training"]
    assert (again["from_step"], again["to_step"], again["weights"]) == (2, 4, "last.ckpt")
    assert "problem" not in again


def test_weights_of_other_stages_are_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    gpu_training = importlib.import_module("gpu_training")
    path = tmp_path / "both.ckpt"
    torch.save(
        {"loops": {}, "state_dict": {}, "bokehbench": {"stage": "depth", "stages": ["depth", "rendering"]}}, path
    )
    assert gpu_training.going_on(path) == [f"--model.weights={path}"]
    assert gpu_training.steps_of(path) == 0


def test_what_was_not_reached_says_so(script, tmp_path: Path) -> None:
    script(tmp_path, "--minutes", "0.001")
    found = results(tmp_path)
    assert [line["problem"] for part in ("same", "speed") for line in found[part]] == ["no time left"] * 2
    assert "its time was over" in found["training"][0]["problem"]
    assert "## training" in (tmp_path / "results.md").read_text()


def test_a_stopped_run_leaves_what_it_has_and_no_process(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), *SMALL, "--output", str(tmp_path)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    end, lines = time.monotonic() + 120, tmp_path / "same.jsonl"
    while not (lines.is_file() and lines.read_text().count("\n") > 1) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)  # ends only when nobody holds its output any more
    found = results(tmp_path)
    assert "within" in found["same"][0]
    assert found["training"] == [{"unit": "all", "problem": "not begun"}]
