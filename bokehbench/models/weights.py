"""Checkpoint files: read without running code, refused with the reason."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of ours as a dict of primitives and tensors, on the CPU.

    Raises:
        BokehbenchError: missing, truncated, not a checkpoint, or holding anything that could run code.
    """
    if not path.is_file():
        raise BokehbenchError(f"There is no checkpoint {path}: check the path.")
    try:
        if path.suffix == ".safetensors":
            return {"state_dict": load_file(path)}
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BokehbenchError(
            f"{path} holds objects that could run code, so it was not loaded: "
            "save it again as a plain state dict or as .safetensors."
        ) from error
    except Exception as error:
        raise BokehbenchError(
            f"{path} is truncated or no checkpoint ({type(error).__name__}): fetch it again."
        ) from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise BokehbenchError(
            f"{path} is no checkpoint of bokehbench (it has no 'state_dict'): "
            "the authors' files become one with `bokehbench import-weights`."
        )
    return content


def load_weights(module: nn.Module, path: Path) -> None:
    """Load a checkpoint's weights into ``module``, every name and shape checked.

    Raises:
        BokehbenchError: unreadable file, or names the first missing, unknown or mis-shaped tensors.
    """
    load_state(module, read_checkpoint(path)["state_dict"], str(path))


def load_state(module: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Strict ``load_state_dict`` whose failure is a sentence; ``source`` names where ``state`` came from."""
    own = module.state_dict()
    problems = [f"missing {name}" for name in own if name not in state]
    problems += [f"unknown {name}" for name in state if name not in own]
    problems += [
        f"{name} is {tuple(state[name].shape)} and should be {tuple(value.shape)}"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    ]
    if problems:
        more = f" ... and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise BokehbenchError(
            f"The weights of {source} do not fit this {type(module).__name__}: {'; '.join(problems[:5])}{more}. "
            "Give the architecture options that they were trained with."
        )
    module.load_state_dict(state)


def state_hash(state: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over names, types, shapes and bytes of a state dict, in the order of the names.

    The same whatever the file format, device or order.
    """
    total = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
