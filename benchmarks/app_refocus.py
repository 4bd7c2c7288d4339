"""What a refocus costs in `bokehbench app` with DeepLens: while the slider moves, when it is let go, without a cache.

    OMP_NUM_THREADS=1 python benchmarks/app_refocus.py

CPU time of one thread, which other work on the machine does not lengthen much; random weights take as long as trained.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from bokehbench.app.refocuser import Refocuser
from bokehbench.models import DeepLens, Layered

ROUNDS = 3


def seconds(act: Callable[[], object]) -> float:
    """CPU time of ``act``."""
    start = time.process_time()
    act()
    return time.process_time() - start


def main() -> None:
    """A 12-megapixel photo, worked on at 1280 x 960."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path, ramp = Path(folder) / "photo.jpg", Path(folder) / "map.png"
        Image.effect_noise((4000, 3000), 60).convert("RGB").save(path)
        Image.linear_gradient("L").resize((400, 300)).save(ramp)
        app, layered = Refocuser(DeepLens().eval()), Refocuser(Layered().eval())
        print(f"{'open (read, shrink, depth)':<44}{seconds(lambda: app.open(path)):8.2f} s")
        photo, other = app.open(path), layered.open(path)
        layered.give_map(other, ramp)
        print(f"{'first preview (features)':<44}{seconds(lambda: app.quick(photo, 20.0)):8.2f} s")
        times: dict[str, list[float]] = {}
        for turn in range(ROUNDS):
            aperture = 21.0 + turn  # another each time, or there is nothing to do
            acts = {
                "slider moves (coarsest level, from the cache)": lambda a=aperture: app.quick(photo, a),
                "slider let go (1280 x 960, from the cache)": lambda a=aperture: app.finish(photo, a),
                "the same without a cache": lambda a=aperture: (
                    app.model.render(photo.image.clone(), aperture=a * 0.32).image
                ),
                "layered: slider moves (640 x 480)": lambda a=aperture: layered.quick(other, a),
            }
            for name, act in acts.items():
                times.setdefault(name, []).append(seconds(act))
        for name, found in times.items():
            print(f"{name:<44}{statistics.median(found):8.2f} s")


if __name__ == "__main__":
    main()
