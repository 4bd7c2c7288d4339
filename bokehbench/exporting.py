"""Methods as files that run without bokehbench: ONNX, and the pt2 files of torch.export."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from importlib import import_module
from io import BytesIO, StringIO
from typing import Any

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.models.exported import Exported
from bokehbench.models.weights import weights_hash

#: A file may differ by this much from torch, on a scale of [0, 1].
TOLERANCE = 1e-4
#: Sides of photos that a file takes, in pixels.
SMALLEST, LARGEST = 64, 16384
#: What inputs and the output hold, for users who have only the file.
UNITS = {
    "image": "1 3 H W float32, sRGB in [0, 1], gamma-encoded",
    "disparity": "1 1 H W float32 in [0, 1], 1 = nearest",
    "focus": "1 float32, the disparity in focus",
    "aperture": "1 float32, blur radius in pixels of the photo at a disparity difference of 1",
    "bokeh": "1 3 H W float32, sRGB in [0, 1], gamma-encoded",
}

#: From named inputs to a picture 1 3 H W.
Runner = Callable[[dict[str, Tensor]], Tensor]


def metadata(model: BokehModel, exported: Exported) -> dict[str, str]:
    """What a file says of itself: names, units, what was fixed, whose weights and under which licence."""
    licence, provenance = model.provenance.licence or "not known", json.dumps(model.provenance.to_plain())
    said = {"method": model.label, "paper": model.paper, "weights": weights_hash(model), "licence": licence}
    said |= {name: UNITS[name] for name in (*exported.inputs, "bokeh")} | exported.fixed | {"provenance": provenance}
    return {f"bokehbench.{name}": value for name, value in said.items()}


def picture(exported: Exported, height: int, width: int) -> dict[str, Tensor]:
    """A made-up photo with all that ``exported`` reads: waves and noise, before a relief; its largest aperture."""
    rows, columns = torch.linspace(0, 6, height)[:, None], torch.linspace(0, 9, width)
    waves = torch.stack([(rows * k + columns).sin() * 0.3 + 0.5 for k in (1, 2, 3)])
    noise = 0.2 * torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    relief = (0.5 + 0.5 * (rows + 0.3 * columns).cos())[None, None].contiguous()
    image, aperture = ((waves + noise).clamp(0, 1) * 255).round()[None] / 255, exported.largest_aperture
    found = {"image": image, "disparity": relief, "focus": torch.tensor([0.4]), "aperture": torch.tensor([aperture])}
    return {name: found[name] for name in exported.inputs}


def program_of(exported: Exported, size: int) -> torch.export.ExportedProgram:
    """Traced by torch.export, with height and width left open.

    Raises:
        BokehbenchError: the method's code looks at values or sizes.
    """
    height, width = (torch.export.Dim(name, min=SMALLEST, max=LARGEST) for name in ("height", "width"))
    inputs = picture(exported, size + 7, size + 3)
    exported.eval().requires_grad_(False)
    try:
        with quiet(), torch.enable_grad():  # without gradients, networks work in strips, as many as the size asks for
            program = torch.export.export(
                exported, (), inputs, prefer_deferred_runtime_asserts_over_guards=True,
                dynamic_shapes={name: {2: height, 3: width} if x.ndim == 4 else {} for name, x in inputs.items()},
            )  # fmt: skip
    except Exception as error:
        raise BokehbenchError(
            f"This method cannot be exported: torch.export refuses its code ({reason(error)}); its class must say how "
            "with exported() (docs/export.md)."
        ) from error
    for node in program.graph.nodes:  # torch.onnx takes no clamp with one bound a whole number and the other not
        if node.target is torch.ops.aten.clamp.default and node.meta["val"].is_floating_point():
            node.args = (node.args[0], *(None if bound is None else float(bound) for bound in node.args[1:]))
    return program


def to_pt2(exported: Exported, said: dict[str, str], size: int) -> tuple[bytes, Runner]:
    """A pt2 file's content, and what runs it."""
    content = BytesIO()
    torch.export.save(program_of(exported, size), content, extra_files={"bokehbench.json": json.dumps(said)})
    module: Any = torch.export.load(BytesIO(content.getvalue())).module()
    return content.getvalue(), lambda inputs: module(**inputs)


def to_onnx(exported: Exported, said: dict[str, str], size: int) -> tuple[bytes, Runner]:
    """An ONNX file's content, and ONNX Runtime on one CPU thread, which runs it.

    Raises:
        BokehbenchError: the packages are missing, or an operation has no ONNX form.
    """
    try:
        runtime, _ = import_module("onnxruntime"), import_module("onnxscript")
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
    run = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"]).run
    return content, lambda inputs: torch.from_numpy(run(None, {name: x.numpy() for name, x in inputs.items()})[0])


#: ``--to`` -> what makes such a file.
FORMATS = {"onnx": to_onnx, "pt2": to_pt2}


def check(model: BokehModel, exported: Exported, run: Runner, size: int) -> Iterator[str]:
    """Run a file's content beside :meth:`render`, and beside what was traced at another size; how it went, in words.

    Raises:
        BokehbenchError: they differ by more than :data:`TOLERANCE`.
    """
    for height, width in ((size, size), (max(size * 3 // 4 | 1, SMALLEST + 1), size | 1)):
        inputs: dict[str, Any] = picture(exported, height, width)
        with torch.no_grad():
            wanted = model.render(**inputs).image if height == size else exported(**inputs)
            away = (wanted - run(inputs)).abs()
        said = f"{width} x {height} px: differs from torch by {float(away.max()):.1e} at most"
        if not float((away <= TOLERANCE).double().mean()) >= 1 - exported.strays:
            raise BokehbenchError(f"{said}, but {TOLERANCE:g} is allowed: nothing was written; give another --size.")
        yield said


def reason(error: Exception) -> str:
    """The type of an error, and the first line of what it says."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:160]}"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's warnings, logs and printed graphs from people."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with redirect_stderr(StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)
