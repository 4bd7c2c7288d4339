"""Checkpoint files: found, and opened without running code. Starts without torch."""

import pickle
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError


def newest(place: Path, pattern: str = "**/checkpoints/last.ckpt") -> Path | None:
    """The file below ``place`` that was written last, of those that fit ``pattern``; None where there is none."""
    return max(place.glob(pattern), key=lambda path: path.stat().st_mtime, default=None)


def read_plain(path: Path) -> Any:
    """What torch saved or a .safetensors file holds, primitives and tensors on the CPU; nothing in it is run.

    Raises:
        BokehbenchError: missing, truncated, not such a file, or holding anything that could run code.
    """
    import torch
    from safetensors.torch import load_file

    if not path.is_file():
        raise BokehbenchError(f"There is no checkpoint {path}: check the path.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BokehbenchError(
            f"{path} holds objects that could run code, so it was not loaded: "
            "save it again as a plain state dict or as .safetensors."
        ) from error
    except Exception as error:
        raise BokehbenchError(
            f"{path} is truncated or no checkpoint ({type(error).__name__}): fetch it again."
        ) from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of ours, or weights alone from a .safetensors file, as a dict of primitives and tensors on the CPU.

    Raises:
        BokehbenchError: as :func:`read_plain`, or another kind of file.
    """
    content = read_plain(path)
    if path.suffix == ".safetensors":
        return {"state_dict": content}
    if not isinstance(content, dict) or "state_dict" not in content:
        raise BokehbenchError(
            f"{path} is no checkpoint of bokehbench (it has no 'state_dict'): "
            "the authors' files become one with `bokehbench import-weights`."
        )
    return content
