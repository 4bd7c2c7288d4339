"""Two or more ways of one computation, run in turn in one process: ratios that survive a noisy machine.

Absolute times wander by a factor of two between runs of a shared machine; the ratio inside one round does not.
"""

from __future__ import annotations

import resource
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

PAGE = resource.getpagesize()


def resident() -> int:
    """Bytes of this process in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def peak_growth(run: Callable[[], object]) -> int:
    """Bytes by which the resident size grows at most while ``run`` runs, sampled every millisecond."""
    start, peak, done = resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, resident())
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    return max(peak, resident()) - start


def compare(
    name: str, ways: dict[str, Callable[[], object]], rounds: int = 5, memory: bool = False
) -> dict[str, float]:
    """Print one row per way: median CPU seconds and speed relative to the first way (the baseline).

    Returns the speed ratio (baseline / way, median over rounds) of every way but the first; with ``memory`` the row
    also shows peak growth of the resident size.
    """
    times: dict[str, list[float]] = {way: [] for way in ways}
    for run in ways.values():
        run()
    for _ in range(rounds):
        for way, run in ways.items():
            start = time.process_time()
            run()
            times[way].append(time.process_time() - start)
    baseline = next(iter(ways))
    ratios = {}
    for way, run in ways.items():
        ratio = statistics.median(b / t for b, t in zip(times[baseline], times[way], strict=True))
        row = f"| {name} | {way} | {statistics.median(times[way]) * 1e3:.1f} ms | {ratio:.2f}x |"
        if memory:
            row += f" {peak_growth(run) / 2**20:.0f} MiB |"
        print(row, flush=True)
        if way != baseline:
            ratios[way] = ratio
    return ratios


def header(title: str, memory: bool = False) -> None:
    """Print what was measured on what, and the table's head."""
    print(f"\n## {title}\n\ntorch {torch.__version__}, {torch.get_num_threads()} thread(s), {cpu_name()}\n")
    print("| subject | way | CPU time (median) | speed |" + (" peak memory |" if memory else ""))
    print("|---|---|---|---|" + ("---|" if memory else ""))


def cpu_name() -> str:
    """The processor's name as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown processor"
