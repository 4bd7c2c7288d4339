"""DeepLens' rendering stage at the settings of its paper, for as long as there is time, for ``gpu.py``."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from gpu_units import Line

from bokehbench.checkpoints import newest, read_checkpoint

#: Steps between two writings of ``last.ckpt``: what is lost at most when the time is over.
EVERY = 100
#: Seconds between SIGTERM and SIGKILL.
GRACE = 20.0
#: The status of what was ended because this script was stopped.
STOPPED = 130
#: Of networks, batches and scenes that show that the script runs, not what it measures.
SMALL = {
    "model.channels": 8, "model.upsampling_channels": 8, "model.depth_size": 64, "model.rendering.batch_size": 2,
    "model.rendering.height": 64, "model.rendering.width": 64, "model.rendering.steps": 4, "data.size": 64,
    "data.aperture": 8, "data.val_samples": 1, "data.num_workers": 0, "trainer.precision": "32-true",
}  # fmt: skip


def train(output: Path, seconds: float, start: Path | None, device: str, small: bool) -> tuple[Line, int | None]:
    """Train for ``seconds``, by the command that everybody uses; copy the newest weights to ``output``.

    Args:
        output: ``training/`` there gets the run's folder, ``training.log`` what it prints, ``last.ckpt`` the weights.
        seconds: after them the run is ended by SIGTERM.
        start: a checkpoint of this stage, which goes on, or of another, whose weights are taken over.
        device: ``cuda`` or ``cpu``.
        small: with :data:`SMALL`.

    Returns:
        A line of the report, and the command's exit status: None where its time was over.
    """
    words = [sys.executable, "-m", "bokehbench", "fit", "--config=deeplens_synthetic", "--model.stages=[rendering]"]
    words += ["--trainer.accelerator=" + {"cuda": "gpu"}.get(device, device), "--trainer.devices=1"]
    words += [f"--trainer.default_root_dir={output / 'training'}", "--trainer.enable_progress_bar=false"]
    words += ["--trainer.callbacks=bokehbench.callbacks.StageCheckpoints"]
    words += [f"--trainer.callbacks.every_n_steps={1 if small else EVERY}"]
    words += [f"--data.num_workers={max(1, (os.cpu_count() or 1) - 1)}"]
    words += [f"--{key}={value}" for key, value in SMALL.items()] if small else []
    words += going_on(start)
    begun = time.monotonic()
    with (output / "training.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        status = end_after(process, seconds)
    line: Line = {"seconds": time.monotonic() - begun, "from_step": steps_of(start), "command": " ".join(words[1:])}
    problem = {} if status in (0, None) else {"problem": f"exit status {status}: see training.log"}
    found = newest(output / "training")
    if found is None:
        said = (output / "training.log").read_text(errors="replace").strip().splitlines()[-1:]
        ended = "its time was over" if status is None else f"exit status {status}"
        return {**line, "problem": f"no step was saved, {ended}: {' '.join(said)}"}, status
    shutil.copyfile(found, output / "last.ckpt")
    return {**line, "to_step": steps_of(output / "last.ckpt"), "weights": "last.ckpt", **problem}, status


def going_on(start: Path | None) -> list[str]:
    """Options that go on from a checkpoint; none of them needs a network."""
    no_download = "--model.backbone_pretrained=false"
    if start is None:
        return [no_download]
    content = read_checkpoint(start)
    if "loops" in content and content.get("bokehbench", {}).get("stages") == ["rendering"]:
        return [f"--checkpoint={start}", no_download]
    return [f"--model.weights={start}"]


def steps_of(checkpoint: Path | None) -> int:
    """Optimiser steps of the rendering stage's run that a checkpoint was saved in; 0 for those of other stages."""
    content = read_checkpoint(checkpoint) if checkpoint else {}
    return int(content.get("global_step", 0)) if content.get("bokehbench", {}).get("stage") == "rendering" else 0


def end_after(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit status; None where the time was over, STOPPED where this script was stopped. Nothing of it is left."""
    try:
        return process.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        return None
    except KeyboardInterrupt:
        return STOPPED
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
