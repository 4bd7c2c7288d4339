"""Suites on several workers: what kills lose, and which split of threads is fastest.

    OMP_NUM_THREADS=1 PYTHONPATH=tests python benchmarks/cluster.py --kills 10              # a suite of small fits
    OMP_NUM_THREADS=1 PYTHONPATH=tests python benchmarks/cluster.py --kills 10 --suite quick
    PYTHONPATH=tests python benchmarks/cluster.py --split                                    # on two free cores

``--kills``: a Dask scheduler and three workers, processes of their own on loopback, run a suite while workers are ended
by SIGKILL at random moments, and the scheduler once, after which the same command is given again. The board must be
that of one process, to the bit (times apart). A step ran twice where two processes had it at a time, or where one
began after its mark was written.

``--split``: two independent fits, one after the other with two threads each, and side by side with one thread
each: wall-clock times as ratios, the start of the workers included. Both print a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

import yaml
from distributed import Client
from made_boards import make_board
from methods import SMALL, TRAINABLE, stage_names

from bokehbench.board import boards, results
from bokehbench.cluster.connection import Workers
from bokehbench.suite.runner import Runner
from bokehbench.suite.side_by_side import SideBySide
from bokehbench.suite.suite import read_suite
from bokehbench.tables import markdown

WORKERS = 3
#: Seconds after which a client gives up a scheduler that is gone.
GONE = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s"}


def small_suite(home: Path, only: list[str], steps: int) -> Path:
    """Every method with its smallest network, saved at every step, and two without weights."""
    experiments: list[object] = ["identity", "gaussian"]
    for method in only or TRAINABLE:
        fit: dict[str, object] = {f"model.{key}": value for key, value in SMALL.get(method, {}).items()}
        for stage in stage_names(method):
            for key, value in {"steps": steps, "batch_size": 2, "view": "crop", "height": 64, "width": 64}.items():
                fit[f"model.{stage}.{key}"] = value
        fit |= {"data.size": 64, "data.aperture": 8, "data.val_samples": 1}
        saved = {"class_path": "bokehbench.callbacks.StageCheckpoints", "init_args": {"every_n_steps": 1}}
        experiments.append({"model": method, "fit": {**fit, "trainer.callbacks": [saved]}})
    options = {"data.num_workers": 0, "trainer.accelerator": "cpu"}
    path = home / "small.yaml"
    path.write_text(yaml.safe_dump({"options": options, "experiments": experiments}))
    return path


def board_of(home: Path, small: bool) -> Path:
    """A board without results: of three small scenes, or a copy of the quick one."""
    if small and (home / "leaderboards" / "tiny").is_dir():
        return home / "leaderboards" / "tiny"
    if small:
        data = {"name": "syntheticdof", "arguments": {"size": 64, "blur_radius": 8, "test_samples": 3}}
        return make_board(home, count=3, ids=None, protocol="bokehme", columns=["psnr", "ssim"], data=data)
    folder = home / "leaderboards" / "synthetic-quick"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(boards.find("synthetic-quick") / "board.yaml", folder)
    return folder


def scores(board: Path) -> dict[str, object]:
    """What a board says, times apart."""
    return {each.id: (each.method, each.weights_hash, each.prediction_hash, each.target_hash, each.per_image)
            for each in results.read_all(board)}  # fmt: skip


class Watch(threading.Thread):
    """Looks five times a second for the processes of steps below a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.ended = str(folder), threading.Event()
        self.seen: dict[tuple[str, int], float] = {}
        self.twice: set[str] = set()

    def run(self) -> None:
        while not self.ended.wait(0.2):
            now: dict[int, str] = {}
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                words = read(place).split("\0")
                root = next((word.partition("=")[2] for word in words if word.startswith("--trainer.default_root")), "")
                # who loads pictures outlives a step that is killed by some seconds
                if root.startswith(self.folder) and "pt_data_worker" not in read(place.parent / "comm"):
                    now[int(place.parent.name)] = root
            steps = {pid: root for pid, root in now.items() if now.get(parent(pid)) != root}
            roots = list(steps.values())
            self.twice |= {root for root in roots if roots.count(root) > 1}
            for pid, root in steps.items():
                if (root, pid) not in self.seen:
                    self.seen[root, pid] = time.time()

    def again(self) -> set[str]:
        """Steps that two processes had, or that began again when they were done."""
        late = {root for (root, _), begun in self.seen.items()
                if (mark := Path(root) / "done.json").is_file() and begun > mark.stat().st_mtime + 0.5}  # fmt: skip
        return self.twice | late


def parent(process: int) -> int:
    """Its parent, 0 where it has ended."""
    return int((read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split() or "00")[1])


def kills(times: int, suite: str, only: list[str], steps: int, pause: float, home: Path) -> list[list[str]]:
    """Rows: whether the board is that of one process after so many kills, ``pause`` seconds apart in the mean."""
    path = suite or str(small_suite(home, only, steps))
    command = [sys.executable, "-m", "bokehbench", "benchmark", path]
    command += ["--only", ",".join(only)] if suite and only else []
    boards_ = {name: board_of(home / name, not suite) for name in ("one", "many")}
    subprocess.run([*command, "--board", boards_["one"], "--folder", home / "one" / "work"], check=True)
    rng, done, statuses = random.Random(0), 0, []
    said, file = home / "said.txt", home / "scheduler.json"
    watch = Watch(home / "many")
    watch.start()
    while not statuses or statuses[-1] == 2:
        with ExitStack() as stack:
            scheduler, *workers = cluster(file, stack)
            with said.open("ab") as output:
                runner = subprocess.Popen(
                    [*command, "--board", boards_["many"], "--folder", home / "many" / "work", "--scheduler", file],
                    env={**os.environ, **GONE}, stdout=output, stderr=output,
                )  # fmt: skip
            while runner.poll() is None:
                time.sleep(0.2)
                if done == times or not any(steps_of(pid) for worker in workers for pid in children(worker.pid)):
                    continue
                time.sleep(rng.uniform(0, 2 * pause))
                busy = [pid for worker in workers for pid in children(worker.pid) if steps_of(pid)]
                if runner.poll() is not None or not busy:
                    continue
                done += 1
                if done == (times + 1) // 2:
                    scheduler.kill()
                    break
                os.kill(rng.choice(busy), SIGKILL)  # its nanny starts another
            statuses.append(runner.wait())
    watch.ended.set()
    marks = [json.loads(mark.read_text()) for mark in home.glob("many/work/*/*/done.json")]
    begun_steps = len(watch.seen)
    resumed = sum(mark.get("resumed", False) for mark in marks)
    equal = scores(boards_["one"]) == scores(boards_["many"])
    print(said.read_text(), file=sys.stderr)
    print(f"again: {watch.again() or 'nothing'}; exit statuses of the runner {statuses}", file=sys.stderr)
    detail = (
        f"{len(marks)} steps, {begun_steps} processes of steps, {resumed} fits resumed, "
        f"{len(watch.again())} run twice; the runner ended with {', '.join(map(str, statuses))}"
    )
    what = f"SIGKILL to {done - 1} workers and to the scheduler, while a suite runs on three workers"
    return [[what, "board equal to the bit" if equal else "BOARD DIFFERS", detail]]


def cluster(file: Path, stack: ExitStack) -> list[subprocess.Popen[bytes]]:
    """A scheduler and workers that end with the stack."""
    file.unlink(missing_ok=True)
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    found = [dask(words, stack)]
    while not file.exists():
        time.sleep(0.1)
    words = ["worker", "--nthreads", "1", "--no-dashboard", "--scheduler-file", str(file)]
    found += [dask([*words, "--name", f"w{number}"], stack) for number in range(WORKERS)]
    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(1)
    return found


def dask(words: list[str], stack: ExitStack) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def children(process: int) -> list[int]:
    """Processes that it started, those that keep account of others' memory apart."""
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(pid) for each in found for pid in read(each).split() if "resource_tracker" not in command_of(int(pid))]


def steps_of(worker: int) -> list[int]:
    """The steps that a worker has."""
    return [pid for pid in children(worker) if "default_root_dir" in command_of(pid)]


def command_of(process: int) -> str:
    """Its words with zeros between them."""
    return read(Path(f"/proc/{process}/cmdline"))


def read(path: Path) -> str:
    """A file of /proc; empty where the process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def split(method: str, steps: int, rounds: int, home: Path) -> list[list[str]]:
    """Rows: two fits side by side against one after the other with two threads each."""
    fit: dict[str, object] = {f"model.{stage}.steps": steps for stage in stage_names(method)}
    fit |= {"data.val_samples": 2, "data.num_workers": 0, "trainer.accelerator": "cpu"}
    experiments = [{"name": f"{method}-{seed}", "model": method, "fit": {**fit, "seed_everything": seed}, "test": False}
                   for seed in (1, 2)]  # fmt: skip
    path = home / "split.yaml"
    path.write_text(yaml.safe_dump({"experiments": experiments}))
    ways = {"one after the other, 2 threads": 0, "side by side, 1 + 1 threads": 1}
    times: dict[str, list[float]] = {way: [] for way in ways}
    os.environ["OMP_NUM_THREADS"] = "2"
    for number in range(rounds):
        for way, threads in ways.items():
            engine = SideBySide(Workers(count=2, threads=threads)) if threads else None
            begun = time.monotonic()
            outcomes = Runner(read_suite(path), home / f"{number}-{threads}").run(engine)
            times[way].append(time.monotonic() - begun)
            assert not any(outcome.failure for outcome in outcomes), outcomes
    rows = []
    for way, found in times.items():
        ratios = sorted(before / now for before, now in zip(next(iter(times.values())), found, strict=True))
        rows.append([way, f"{min(found):.0f} s", f"{ratios[rounds // 2]:.2f}x"])
    return rows


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, metavar="N")
    asked.add_argument("--suite", default="", help="in place of a suite of small fits, e.g. quick")
    asked.add_argument("--only", default="", help="methods, with commas between")
    asked.add_argument("--steps", type=int, help="of every stage; default: 4 with kills, 30 with --split")
    asked.add_argument("--pause", type=float, default=10.0, help="mean seconds between a busy worker and its end")
    asked.add_argument("--folder", type=Path, help="where the work goes and stays; default: a temporary one")
    asked.add_argument("--split", action="store_true")
    asked.add_argument("--method", default="deeplens", help="which is fitted with --split")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = (given.folder or Path(temporary)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        if given.kills:
            names = [name for name in given.only.split(",") if name]
            rows = kills(given.kills, given.suite, names, given.steps or 4, given.pause, home)
            print(markdown(["what", "right", "that is"], rows))
        if given.split:
            rows = split(given.method, given.steps or 30, given.rounds, home)
            print(markdown(["two fits", "wall clock", "speed"], rows))
