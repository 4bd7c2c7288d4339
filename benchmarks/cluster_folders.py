"""How much faster `bokehbench score` is with two workers than with one.

    taskset -c 0,1 python benchmarks/cluster_folders.py [PAIRS [SIDE]]

2000 pairs of 256 px are made here, and scored under the protocol of our boards with the diagnostics, by one process, by
two, and, where Dask is installed, by a scheduler with two workers on loopback: each in a process of its own, as people
type it, with its start and the pairing of the files. The CSVs must be equal. On a shared machine the wall clock says
little: run it on two quiet cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from makers import blurred, picture, save
from side_by_side import cpu_name

WORDS = ["--protocol", "bokehme,ntire23", "--diagnostics"]


def make(root: Path, pairs: int, side: int) -> None:
    """PNGs, blurred and sharp."""
    for number in range(pairs):
        sharp = picture(number, (side, side))
        save(root / "ours" / f"{number}.png", blurred(sharp))
        save(root / "target" / f"{number}.png", sharp)


def seconds(root: Path, name: str, options: list[str]) -> float:
    """Of one command, whose CSV is ``root/name.csv``."""
    command = [sys.executable, "-m", "bokehbench", "score", str(root / "ours"), "--targets", str(root / "target")]
    start = time.monotonic()
    subprocess.run([*command, *WORDS, "--csv", str(root / f"{name}.csv"), *options], check=True, capture_output=True)
    return time.monotonic() - start


def main(pairs: int, side: int) -> None:
    """Make the pairs, score them, print the ratios."""
    print(f"{cpu_name()}, {pairs} pairs of {side} x {side}\n\n| workers | wall clock | speed |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        root = Path(folder)
        make(root, pairs, side)
        ways = {"one": ["--workers", "1"], "two": ["--workers", "2"]}
        try:
            from distributed import LocalCluster
        except ImportError:
            print("no Dask: pip install 'bokehbench[cluster]'")
        else:
            cluster = stack.enter_context(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0"))
            ways["two of Dask"] = ["--scheduler", cluster.scheduler_address]
        found = {name: seconds(root, name, options) for name, options in ways.items()}
        for name, taken in found.items():
            print(f"| {name} | {taken:.1f} s | {found['one'] / taken:.2f}x |")
        contents = {(root / f"{name}.csv").read_bytes() for name in ways}
    print("\nThe CSVs are equal." if len(contents) == 1 else "\nTHE CSVS DIFFER.")
    sys.exit(len(contents) != 1)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [2000, 256][len(given) :]))
