"""How soon the verbs that need no network start: user CPU time to --help and to the first error, over ``import torch``.

    PYTHONPATH=. python benchmarks/startup.py

Issue 11 asks for at most 1x, for ``score`` and every action of ``leaderboard``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 5
TORCH = [sys.executable, "-c", "import torch"]
CLI = [sys.executable, "-m", "bokehbench"]
COMMANDS = {
    "score --help": ["score", "--help"],
    "score, a folder that is not there": ["score", "nowhere", "--targets", "nowhere"],
    "score, empty folders": ["score", ".", "--targets", "."],
    "score, an unknown column": ["score", ".", "--targets", ".", "--columns", "psnl"],
    **{
        f"leaderboard {action}, nothing of that name": ["leaderboard", action, *words]
        for action, words in {
            "add": ["nowhere.json"],
            "render": ["nowhere"],
            "check": ["nowhere"],
            "verify": ["nowhere"],
            "pin": ["nowhere"],
            "cite": ["nowhere"],
            "compare": ["nowhere", "nothing"],
            "figures": ["nowhere"],
        }.items()
    },
    **{
        f"leaderboard {action} --help": ["leaderboard", action, "--help"]
        for action in ("add", "check", "verify", "figures")
    },
}


def user_seconds(command: list[str], folder: str) -> float:
    """User CPU time of a process and its children."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime


def main() -> None:
    """Print medians and ratios; fail where one is above 1."""
    print("| command | user CPU time (median) | of `import torch` |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        times: dict[str, list[float]] = {"import torch": [], **{name: [] for name in COMMANDS}}
        user_seconds(TORCH, folder)  # reads the files once
        for _ in range(ROUNDS):
            times["import torch"].append(user_seconds(TORCH, folder))
            for name, words in COMMANDS.items():
                times[name].append(user_seconds([*CLI, *words], folder))
    worst = 0.0
    for name, each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, times["import torch"], strict=True))
        print(f"| {name} | {statistics.median(each):.2f} s | {ratio:.2f} |", flush=True)
        worst = max(worst, 0.0 if name == "import torch" else ratio)
    assert worst <= 1, f"{worst:.2f} of importing torch"


if __name__ == "__main__":
    main()
