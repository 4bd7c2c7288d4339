"""Methods as files that run without bokehbench: ONNX, and the pt2 files of torch.export."""

import json
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import Any

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.models.exported import Exported
from bokehbench.models.weights import weights_hash

#: A file may differ by this much from the method itself, on a scale of [0, 1].
TOLERANCE = 1e-4
#: Sides of photos that a file takes, in pixels.
SMALLEST, LARGEST = 64, 16384
#: What an input holds, for people who have the file alone.
UNITS = {
    "image": "1 3 H W float32, sRGB in [0, 1], gamma-encoded",
    "disparity": "1 1 H W float32 in [0, 1], 1 = nearest",
    "focus": "1 float32, the disparity in focus",
    "aperture": "1 float32, blur radius in pixels of the photo at a disparity difference of 1",
}

#: From named inputs to a picture 1 3 H W.
Runner = Callable[[dict[str, Tensor]], Tensor]


def metadata(model: BokehModel, exported: Exported) -> dict[str, str]:
    """What a file says of itself: names, units, what was fixed, whose weights and under which licence."""
    record = model.provenance
    said = {
        "method": model.label,
        "paper": model.paper,
        "weights": weights_hash(model),
        "licence": record.licence or "not known",
        "provenance": json.dumps(record.to_plain()),
        **{f"input.{name}": UNITS[name] for name in exported.inputs},
        "output.bokeh": UNITS["image"],
        **{f"fixed.{name}": value for name, value in exported.fixed.items()},
    }
    return {f"bokehbench.{name}": value for name, value in said.items()}


def picture(inputs: tuple[str, ...], height: int, width: int, aperture: float, seed: int = 0) -> dict[str, Tensor]:
    """A made-up photo with all that ``inputs`` names: waves and noise, before a relief."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.linspace(0, 6, height)[:, None], torch.linspace(0, 9, width)
    waves = torch.stack([(rows * k + columns).sin() * 0.3 + 0.5 for k in (1, 2, 3)])
    noise = 0.2 * torch.rand(3, height, width, generator=generator)
    relief = (0.5 + 0.5 * (rows + 0.3 * columns).cos()).expand(height, width)
    everything = {
        "image": ((waves + noise).clamp(0, 1) * 255).round()[None] / 255,
        "disparity": relief[None, None].contiguous(),
        "focus": torch.tensor([0.4]),
        "aperture": torch.tensor([float(aperture)]),
    }
    return {name: everything[name] for name in inputs}


def to_pt2(exported: Exported, said: dict[str, str], size: int) -> tuple[bytes, Runner]:
    """The file's content, and what runs it: `torch.export.load(file).module()`."""
    content = BytesIO()
    torch.export.save(program_of(exported, size), content, extra_files={"bokehbench.json": json.dumps(said)})
    module: Any = torch.export.load(BytesIO(content.getvalue())).module()
    return content.getvalue(), lambda inputs: module(**inputs)


def to_onnx(exported: Exported, said: dict[str, str], size: int) -> tuple[bytes, Runner]:
    """The file's content, and what runs it: ONNX Runtime, on one CPU thread.

    Raises:
        BokehbenchError: the packages are missing, or an operation has no ONNX form.
    """
    try:
        runtime = import_module("onnxruntime")
        import_module("onnxscript")
    except ImportError as error:
        raise BokehbenchError(
            f"ONNX files need the package {error.name}: pip install 'bokehbench[export]', or give --to pt2."
        ) from None
    program = program_of(exported, size)
    try:
        with quiet():
            found: Any = torch.onnx.export(program, output_names=["bokeh"], dynamo=True, verbose=False)
    except Exception as error:
        raise BokehbenchError(f"This method has no ONNX form ({reason(error)}): give --to pt2.") from error
    found.model.metadata_props.update(said)
    content = found.model_proto.SerializeToString()
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, Tensor]) -> Tensor:
        return torch.from_numpy(session.run(None, {name: value.numpy() for name, value in inputs.items()})[0])

    return content, run


#: ``--to`` -> what makes such a file.
FORMATS = {"onnx": to_onnx, "pt2": to_pt2}


def program_of(exported: Exported, size: int) -> torch.export.ExportedProgram:
    """Traced by torch.export, with height and width left open.

    Raises:
        BokehbenchError: the method's code looks at values or sizes.
    """
    height, width = (torch.export.Dim(name, min=SMALLEST, max=LARGEST) for name in ("height", "width"))
    shapes = {"image": {2: height, 3: width}, "disparity": {2: height, 3: width}, "focus": {}, "aperture": {}}
    inputs = picture(exported.inputs, size + 7, size + 3, exported.largest_aperture)
    try:
        with quiet(), torch.enable_grad():  # without gradients networks work in strips, whose number is a matter of size
            program = torch.export.export(
                exported.eval().requires_grad_(False), (), inputs, prefer_deferred_runtime_asserts_over_guards=True,
                dynamic_shapes={name: shapes[name] for name in inputs},
            )  # fmt: skip
    except BokehbenchError:
        raise
    except Exception as error:
        raise BokehbenchError(
            f"This method cannot be exported: torch.export refuses its code ({reason(error)}); its class must say how "
            "with exported() (docs/export.md)."
        ) from error
    for node in program.graph.nodes:  # torch.onnx takes no clamp with one bound a whole number and the other not
        if node.target is torch.ops.aten.clamp.default and node.meta["val"].is_floating_point():
            node.args = (node.args[0], *(None if bound is None else float(bound) for bound in node.args[1:]))
    return program


def difference(model: BokehModel, run: Runner, inputs: dict[str, Tensor]) -> float:
    """Largest difference, over all pixels, between a file and the method's own :meth:`render`."""
    with torch.no_grad():
        wanted, found = model.render(**inputs).image, run(inputs)  # type: ignore[arg-type]
    away = (wanted - found).abs().max() if found.shape == wanted.shape else math.inf
    return float(away)


def reason(error: Exception) -> str:
    """The type of an error, and the first line of it that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's warnings and logs about its own inside from people."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
