"""A method in torch, as a program of torch.export, and in ONNX Runtime: the same photo, one thread.

Run: PYTHONPATH=.:tests python benchmarks/export.py [METHOD ...] (about 10 minutes; needs bokehbench[export]). Networks
have their published size and random weights. torch is the method's own blur, which looks at values and skips what is
not needed; a file cannot.
"""

from __future__ import annotations

import sys
from functools import partial

import torch
from side_by_side import compare, header

from bokehbench.exporting import TOLERANCE, metadata, picture, to_onnx, to_pt2
from bokehbench.models import MODELS

METHODS = ("layered", "compositional", "scatter", "deeplens", "d2f", "pynet")


def main(names: tuple[str, ...]) -> None:
    """Every method at 320 and 640 px, aperture as by default at that size."""
    torch.set_num_threads(1)
    header("A method in torch and as a file")
    for name in names:
        torch.manual_seed(0)
        model = MODELS[name](**({"perceptual": "none"} if name == "pynet" else {})).eval()
        for size in (320, 640):
            exported = model.exported(size, 0.025 * size)
            said = metadata(model, exported)
            inputs = picture(exported, size, size)
            ways = {"torch": lambda model=model, inputs=inputs: model.render(**inputs).image}
            for way, make in (("torch.export", to_pt2), ("ONNX Runtime", to_onnx)):
                ways[way] = partial(torch.no_grad()(make(exported, said, size)[1]), inputs)
            for way, run in ways.items():
                away = (run() - ways["torch"]()).abs()
                assert (away <= TOLERANCE).double().mean() >= 1 - exported.strays, (name, way, float(away.max()))
            compare(f"{model.label}, {size} px", ways, rounds=3)


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or METHODS)
