"""A method in torch, as a program of torch.export, in ONNX Runtime and, if installed, OpenVINO: one photo, one thread.

Run: PYTHONPATH=.:tests python benchmarks/export.py [METHOD ...] [SIDE ...] (half an hour; needs bokehbench[export]).
Networks have their published size and random weights. torch is the method's own blur, which looks at values and skips
what is not needed; a file cannot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import torch
from side_by_side import compare, header

from bokehbench.exporting import TOLERANCE, metadata, picture, to_onnx, to_pt2
from bokehbench.models import MODELS

SIZES = (320, 640)
METHODS = ("layered", "compositional", "scatter", "deeplens", "d2f", "pynet")


def openvino(content: bytes, inputs: dict[str, torch.Tensor]) -> Callable[[], torch.Tensor]:
    """An ONNX file's content in OpenVINO, if that is installed: one thread, float32."""
    core = import_module("openvino").Core()
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    run = core.compile_model(core.read_model(content), "CPU", options)
    return lambda: torch.from_numpy(run({name: x.numpy() for name, x in inputs.items()})[0].copy())


def main(names: Sequence[str], sizes: Sequence[int]) -> None:
    """Every method at every size, with the aperture that is the default there."""
    torch.set_num_threads(1)
    header("A method in torch and as a file")
    for name in names:
        torch.manual_seed(0)
        model = MODELS[name](**({"perceptual": "none"} if name == "pynet" else {})).eval()
        for size in sizes:
            exported = model.exported(size, 0.025 * size)
            said = metadata(model, exported)
            inputs = picture(exported, size, size)
            ways = {"torch": lambda model=model, inputs=inputs: model.render(**inputs).image}
            for way, make in (("torch.export", to_pt2), ("ONNX Runtime", to_onnx)):
                ways[way] = partial(torch.no_grad()(make(exported, said, size)[1]), inputs)
            if find_spec("openvino"):
                ways["OpenVINO"] = openvino(to_onnx(exported, said, size)[0], inputs)
            for way, run in list(ways.items()):
                away = (run() - ways["torch"]()).abs()
                if (away <= TOLERANCE).double().mean() < 1 - exported.strays:
                    assert way == "OpenVINO", (name, way, float(away.max()))
                    print(f"{model.label}, {size} px: OpenVINO differs by {float(away.max()):.1e}, so it is left out")
                    del ways[way]
            compare(f"{model.label}, {size} px", ways, rounds=3)


if __name__ == "__main__":
    sides = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main([word for word in sys.argv[1:] if not word.isdigit()] or METHODS, sides or SIZES)
