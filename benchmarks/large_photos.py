"""Peak memory and time of one large photo, for every renderer without training, BokehMe and DeepLens.

Run: python benchmarks/large_photos.py [METHOD ...] [--size 6000 4000] [--flat] [--strips N]. Each method in a process
of its own, from array to array: the photo, its disparity map and the picture count. Where CPU is scarce, peak memory
can be had sooner: with ``--flat`` the map has two values, so that scatter and BokehMe blur with two radii, the largest
among them; with ``--strips`` the first strips of each pass are computed, and all others are filled with grey.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

METHODS = ("identity", "gaussian", "compositional", "layered", "scatter", "raytraced", "bokehme-classical", "bokehme",
           "deeplens")  # fmt: skip


def first_strips(count: int) -> None:
    """Leave all others out, in memory that is in use all the same."""
    import torch

    from bokehbench.optics import ray_traced, strips

    def grey(like: torch.Tensor, *size: int, **kind: torch.dtype) -> torch.Tensor:
        return like.new_full(size, 0.5, **kind)

    torch.Tensor.new_empty = grey
    for module in (strips, sys.modules[ray_traced.__module__]):
        module.progress = lambda parts: list(parts)[:count]


def render_once(name: str, width: int, height: int, aperture: float, flat: bool, strips: int, out: str) -> None:
    """Render in this process and print a row of the table."""
    import numpy as np
    import torch
    from deeplens import peak_gib

    import bokehbench
    from bokehbench.method import Method
    from bokehbench.models.bokehme import BokehMe
    from bokehbench.nets.bokehme.bokeh_me_net import classically
    from bokehbench.optics import signed_defocus

    torch.set_num_threads(1)
    made = torch.Generator().manual_seed(0)
    small = torch.rand(1, 4, 40, 60, generator=made)
    scene = torch.nn.functional.interpolate(small, (height, width), mode="bilinear")[0]
    scene[:3].add_(torch.rand(3, height, width, generator=made).mul_(0.2)).clamp_(0, 1)
    if flat:
        scene[3] = 0.5
    scene[3, height // 3 : height // 2, width // 3 : width // 2] = 1  # a border of depth
    photo, disparity = scene[:3].permute(1, 2, 0).contiguous().numpy(), scene[3].numpy().copy()
    del scene, small
    if strips:
        first_strips(strips)
    before, start = peak_gib(), time.process_time()
    if name == "bokehme-classical":
        with torch.inference_mode():
            defocus = signed_defocus(torch.from_numpy(disparity)[None, None], 0.5, aperture)
            picture = classically(torch.from_numpy(photo).permute(2, 0, 1)[None], defocus, 2.2, 0.25)[0].numpy()
    else:
        # BokehMe's weights are not shipped: random ones take as much
        method = Method(BokehMe()) if name == "bokehme" else bokehbench.load(name)
        picture = method(photo, disparity=disparity, focus=0.5, aperture=aperture).image
    seconds = time.process_time() - start
    values = name, f"{width} x {height}", f"{aperture:g} px", "flat" if flat else "smooth", f"{strips or 'all'}"
    print("|", " | ".join((*values, f"{seconds:.0f} s", f"{before:.2f} GiB", f"{peak_gib():.2f} GiB")), "|", flush=True)
    if out:
        np.save(out, picture[:: max(1, height // 500), :: max(1, width // 500)])


def main() -> None:
    """One method after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", default=list(METHODS), metavar="|".join(METHODS))
    parser.add_argument("--size", type=int, nargs=2, default=(6000, 4000), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--aperture", type=float, default=0.0, help="in px; 0 = the default, 0.025 of the long side")
    parser.add_argument("--flat", action="store_true", help="a map in focus, but for one object")
    parser.add_argument("--strips", type=int, default=0, help="how many of each pass are computed; 0 = all")
    parser.add_argument("--out", default="", help="also write a part of the pixels as .npy, to compare versions")
    parser.add_argument("--here", action="store_true", help="in this process")
    arguments = parser.parse_args()
    aperture = arguments.aperture or 0.025 * max(arguments.size)
    if not arguments.here:
        print("| method | size | aperture | map | strips | CPU time | peak before | peak resident |", flush=True)
        print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in arguments.methods:
        if arguments.here:
            render_once(name, *arguments.size, aperture, arguments.flat, arguments.strips, arguments.out)
            continue
        out = ["--out", f"{arguments.out}-{name}.npy"] if arguments.out else []
        scene = ["--size", *(str(side) for side in arguments.size), "--aperture", str(aperture)]
        scene += ["--strips", str(arguments.strips), *(["--flat"] if arguments.flat else [])]
        subprocess.run([sys.executable, __file__, name, "--here", *scene, *out], check=True)


if __name__ == "__main__":
    main()
