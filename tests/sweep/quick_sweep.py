"""``bokehbench WORDS`` where a trial's fit is a second's wait and a score: for tests of who runs which trial."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from bokehbench.cli import main
from bokehbench.sweep import local_sweep

#: Steps of a trial, of which each tells how far it is.
STEPS = 10


def run_step(words: list[str], log: Path, report: Callable[[float, str], None]) -> None:
    """In the place of the real one: the score is the seed, the end is a line in ``ended.txt``."""
    (seed,) = (word.partition("=")[2] for word in words if word.startswith("--seed_everything="))
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(" ".join(words))
    hang = Path("hang").exists()
    for step in range(STEPS):
        report(step / STEPS, "waiting")
        time.sleep(0.05)
    while hang:
        time.sleep(0.05)
    (log.parent / "metrics.csv").write_text(f"step,val/psnr\n1,{seed}\n")
    with Path("ended.txt").open("a") as file:
        file.write(f"{seed}\n")


local_sweep.run_step = run_step
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
