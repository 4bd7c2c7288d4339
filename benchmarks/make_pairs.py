"""Pairs per minute of `bokehbench data make-pairs` on photos of 12 megapixels, with two processes.

    python benchmarks/make_pairs.py [PAIRS]

The aim is 100 pairs in 10 minutes on two cores, 10 a minute. The photos are made here: textures of every scale, the
second one turned, scaled, brighter, and blurred but for its middle. CPU seconds stand beside the wall clock, since a
shared machine changes the latter most.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from made_photos import save_photo, scene, similarity, taken
from side_by_side import cpu_name

from bokehbench.cluster.connection import Workers
from bokehbench.cluster.in_order import engaged
from bokehbench.preparation.pairs.folder import make_folder
from bokehbench.preparation.pairs.one_pair import Settings

SIZE, PROCESSES = (3000, 4000), 2


def cpu() -> float:
    """CPU seconds of this process and of those that ended before."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(count: int) -> None:
    """Make the photos, then the pairs, and print one row."""
    with tempfile.TemporaryDirectory() as folder:
        root, pairs = Path(folder), []
        for number in range(count):
            narrow = scene(number, SIZE)
            wide = taken(narrow, similarity(SIZE, 1.005, 0.3, 20, -12), (1.2, 1.2, 1.2), 25)
            pairs.append(
                (
                    save_photo(root / "n" / f"{number}.jpg", narrow, 16),
                    save_photo(root / "w" / f"{number}.jpg", wide, 2),
                )
            )
        start, before = time.monotonic(), cpu()
        with engaged(Workers(count=PROCESSES)):
            outcomes, _ = make_folder(root / "pairs", pairs, Settings(), (0.1, 0.1))
        seconds, used = time.monotonic() - start, cpu() - before
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    good = sum(outcome.refused is None for outcome in outcomes)
    print(f"{cpu_name()}, {PROCESSES} processes, photos of {SIZE[1]} x {SIZE[0]}\n")
    print(
        "| pairs | good | wall clock | pairs a minute | CPU a pair | memory of a process |\n|---|---|---|---|---|---|"
    )
    print(
        f"| {count} | {good} | {seconds:.0f} s | {60 * count / seconds:.1f} | {used / count:.1f} s | {peak:.1f} GiB |"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
