"""Named variables of the authors' files: whether they are the right ones, and TensorFlow's layout in torch's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError

#: Problems that an error names.
SHOWN = 8


def check(variables: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], what: str) -> None:
    """Raise BokehbenchError that names unknown, missing and mis-shaped variables (arrays or tensors) of ``what``."""
    problems = [f"unknown '{name}'" for name in variables if name not in shapes]
    problems += [f"missing '{name}'" for name in shapes if name not in variables]
    problems += [
        f"'{name}' has shape {tuple(variables[name].shape)}, not {shape}"
        for name, shape in shapes.items()
        if name in variables and tuple(variables[name].shape) != tuple(shape)
    ]
    if problems:
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BokehbenchError(f"not the variables of {what}: {'; '.join(problems[:SHOWN])}{more}.")


def tensorflow_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(out, in, h, w) -> (h, w, in, out), and of transposed convolutions (in, out, h, w) -> (h, w, out, in)."""
    return (*shape[2:], shape[1], shape[0]) if len(shape) == 4 else shape


def to_torch(value: np.ndarray) -> Tensor:
    """A variable as float32; kernels from :func:`tensorflow_shape` back to torch's."""
    value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
    return torch.from_numpy(np.array(value, dtype=np.float32, order="C"))
