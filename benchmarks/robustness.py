"""Kills at random moments, races for a board, and full disks: how often nothing was lost.

    OMP_NUM_THREADS=1 PYTHONPATH=tests python benchmarks/robustness.py --kills 20 --races 12 --full-disk

Each fit of all levels of a small PyNET saves at every step and is ended at a random moment; resumed, it must have the
weights and the optimiser of a fit that nobody ended, to the bit, and leave no temporary file. Two processes that add a
result each to one board at once must leave both in its tables. With a full disk (Linux, as root) every verb that writes
must say so in one sentence, and keep what was there. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from forked import start
from makers import make_pairs, picture, ramp, save
from measured_boards import make_scenes_board, test_on
from methods import options, words
from tqdm import trange

from bokehbench.checkpoints import newest_whole
from bokehbench.tables import markdown

METHOD, STEPS = "pynet", 4
OFTEN = ("--trainer.callbacks=bokehbench.callbacks.StageCheckpoints", "--trainer.callbacks.every_n_steps=1")
FIT = ["fit", *words(METHOD, steps=STEPS), *OFTEN]
#: Verbs that write, with an output in ``full``; ``@`` is a folder with photos, a map, weights.
WRITING = {
    "fit": [*FIT, "--trainer.default_root_dir=@full/runs"],
    "test": ["test", *words(METHOD), "--checkpoint", "@/last.ckpt", "--trainer.default_root_dir=@full/runs"],
    "predict": ["predict", "--model=identity", "--data=pairs", "--data.root=@/pairs", "--data.num_workers=0",
                "--trainer.default_root_dir=@full/runs"],
    "render": ["render", "@/photo.png", "--model=identity", "-o", "@full/out.png"],
    "render --save-disparity": ["render", "@/photo.png", "--model=layered", "--disparity", "@/map.png", "-o",
                                "@/out.png", "--save-disparity", "@full/map.png"],
    "score": ["score", "@/pairs/input", "--targets", "@/pairs/target", "--workers=1", "--csv", "@full/scores.csv"],
    "export": ["export", "--model=identity", "--size=64", "-o", "@full/identity.pt2"],
}  # fmt: skip


def state(folder: Path) -> dict[str, Any]:
    """Weights and optimiser of the newest checkpoint of the fits in a folder."""
    newest = max(folder.glob("runs/*/*/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime_ns)
    content = torch.load(newest, weights_only=True)
    return {"weights": content["state_dict"], "optimiser": content["optimizer_states"]}


def same(one: Any, other: Any) -> bool:
    """To the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def killed(number: signal.Signals, times: int, home: Path) -> list[str]:
    """A row: how many fits that were ended went on to the same end."""
    start(["--version"], home, home / "version.txt").wait()  # the server has torch from now on
    begun = time.monotonic()
    whole = start(FIT, home, home / "whole.txt")
    whole.wait()
    seconds, wanted = time.monotonic() - begun, state(home)
    resumed = statuses = left = 0
    for again in trange(times, desc=number.name):
        folder = home / f"{number.name}{again}"
        folder.mkdir()
        process = start(FIT, folder, folder / "said.txt")
        time.sleep(random.Random(again).uniform(0.2, 0.9) * seconds)
        if process.poll() is None:
            os.kill(process.pid, number)
        process.wait()
        statuses += process.returncode in (0, -number, 128 + number)
        left += len([path for path in folder.rglob(".*") if path.is_file()])
        last = newest_whole(folder / "runs" / METHOD / "version_0" / "checkpoints")
        more = [*FIT, *(["--checkpoint", str(last)] if last else [])]
        on = start(more, folder, folder / "again.txt")
        on.wait()
        resumed += on.returncode == 0 and same(state(folder), wanted)
        shutil.rmtree(folder)
    said = f"equal to the bit; {statuses} with its exit status; {left} temporary files left"
    return [f"{number.name} at a random moment of a fit", f"{resumed} of {times}", said]


def several(number: signal.Signals, to_all: bool, home: Path) -> list[str]:
    """A row: whether two processes of one training end together, with one whole checkpoint, and none goes on."""
    command = [sys.executable, "-m", "bokehbench", "fit", *words("pix2pix", steps=100_000), *OFTEN,
               "--trainer.devices=2", "--trainer.strategy=ddp"]  # fmt: skip
    with (home / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=home, stdout=said, stderr=said, start_new_session=True)
    while not list(home.glob("runs/*/*/checkpoints/last.ckpt")) and process.poll() is None:
        time.sleep(0.1)
    (os.killpg if to_all else os.kill)(process.pid, number)
    status = process.wait(300)
    for _ in range(20):  # the others end after the first one
        left = subprocess.run(["ps", "-o", "stat=", "-s", str(process.pid)], capture_output=True, text=True).stdout
        if alone := all(state.startswith("Z") for state in left.split()):  # a zombie is only not yet collected
            break
        time.sleep(0.5)
    sentences = (home / "said.txt").read_text().count("bokehbench: Stopped")
    whole = newest_whole(home / "runs") is not None
    good = status == 128 + number and alone and sentences == 1 and whole
    who = "all processes" if to_all else "the first process"
    return [
        f"{number.name} to {who} of a training with two",
        f"{int(good)} of 1",
        f"exit status {status}, one checkpoint",
    ]


def races(times: int, home: Path) -> list[str]:
    """A row: how often both of two results that were added at once stand in the board's tables."""
    os.chdir(home)
    board = make_scenes_board(home)
    found = [test_on(board, home / f"{name}.json", *options(name)) for name in ("identity", "gaussian")]
    good = 0
    for _ in trange(times, desc="races"):
        adding = [start(["leaderboard", "add", f"{name}.json"], home, home / f"{name}.txt")
                  for name in ("identity", "gaussian")]  # fmt: skip
        for process in adding:
            process.wait()
        table = (board / "table.md").read_text()
        good += all(result.method in table for result in found) and not any(p.returncode for p in adding)
        shutil.rmtree(board / "results")
        (board / "table.md").unlink()
    return ["two `leaderboard add` at once", f"{good} of {times}", "both results in the table, before it is made again"]


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """A file system of 1 MB that is full but for some bytes."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    try:
        with (folder / "filler").open("wb") as file:
            while file.write(bytes(4096)):
                file.flush()
    except OSError:
        pass
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full(home: Path) -> list[str]:
    """A row: how many verbs say in one sentence that the disk is full."""
    place = home / "full"
    make_pairs(home / "pairs", names=("a", "b"), size=(64, 80))
    save(home / "photo.png", picture(1, (64, 80)))
    save(home / "map.png", ramp((64, 80)))
    done = start(FIT, home, home / "said.txt")
    done.wait()
    shutil.copy(next((home / "runs" / METHOD).glob("*/checkpoints/last.ckpt")), home / "last.ckpt")
    good, other = 0, []
    with full_disk(place):
        before = (place / "filler").stat().st_size
        for verb, line in WRITING.items():
            said = home / "verb.txt"
            process = start([w.replace("@full", str(place)).replace("@", str(home)) for w in line], home, said)
            process.wait()
            text = said.read_text()
            sentences = [each for each in text.splitlines() if each.startswith("bokehbench: ")]
            right = process.returncode == 2 and len(sentences) == 1 and "Traceback" not in text
            right &= (place / "filler").stat().st_size == before and not list(place.rglob("*.tmp"))
            good += right
            other += [] if right else [verb]
    return ["a full disk: " + ", ".join(f"`{verb}`" for verb in WRITING), f"{good} of {len(WRITING)}",
            "one sentence, and nothing else lost" + (f"; not {', '.join(other)}" if other else "")]  # fmt: skip


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--races", type=int, default=12)
    asked.add_argument("--full-disk", action="store_true", help="mounts one: Linux, as root")
    given = asked.parse_args()
    rows, began = [], Path.cwd()
    with tempfile.TemporaryDirectory() as temporary:
        homes = [Path(temporary) / name for name in ("kill", "end", "race", "full", "two", "both")]
        for home in homes:
            home.mkdir()
        rows += [killed(signal.SIGKILL, given.kills, homes[0]), killed(signal.SIGTERM, given.kills, homes[1])]
        rows.append(races(given.races, homes[2]))
        rows += [several(signal.SIGTERM, False, homes[4]), several(signal.SIGINT, True, homes[5])]
        if given.full_disk:
            rows.append(full(homes[3]))
        os.chdir(began)
    print(markdown(["what", "right", "that is"], rows))
