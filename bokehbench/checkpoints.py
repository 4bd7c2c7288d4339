"""Checkpoint files and folders of weights: found, written, opened without running code. Starts without torch."""

import hashlib
import io
import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bokehbench.archive import refuse_broken
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_bytes, write_atomic

#: The files of a folder of weights: tensors, what they are of, and a model card.
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
#: ``USER/REPO`` or ``USER/REPO@REVISION`` on the Hugging Face Hub.
REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
SUFFIXES = (".ckpt", ".safetensors")


def newest(place: Path, pattern: str = "**/checkpoints/last.ckpt") -> Path | None:
    """The file below ``place`` that was written last, of those that fit ``pattern``; None where there is none."""
    return max(place.glob(pattern), key=lambda path: path.stat().st_mtime, default=None)


def is_whole(path: Path) -> bool:
    """Whether :func:`read_checkpoint` can read it."""
    try:
        return bool(read_checkpoint(path))
    except BokehbenchError:
        return False


def newest_whole(place: Path, pattern: str = "**/*.ckpt") -> Path | None:
    """As :func:`newest`, of the checkpoints that can be read and a fit can go on from; None where there is none."""
    found = [path for path in place.glob(pattern) if not path.stem.endswith("-best")]
    newest_first = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    return next(filter(is_whole, newest_first), None)


def write_checkpoint(content: Mapping[str, Any], path: Path) -> None:
    """As torch saves it, atomically; BokehbenchError where the place cannot be written to."""
    import torch

    buffer = io.BytesIO()  # torch makes no sentence of a disk that is full
    torch.save(content, buffer)
    write_atomic(path, lambda file: file.write(buffer.getbuffer()))


def read_plain(path: Path, arrays: bool = False) -> Any:
    """What torch saved or a .safetensors file holds, primitives and tensors on the CPU; nothing in it is run.

    ``arrays``: arrays of numbers of numpy may be among them.

    Raises:
        BokehbenchError: missing, truncated, not such a file, or holding anything that could run code.
    """
    import torch
    from safetensors.torch import load_file

    if not path.is_file():
        raise BokehbenchError(f"There is no checkpoint {path}: check the path.")
    try:
        refuse_broken(path)
        if path.suffix == ".safetensors":
            _refuse_changed(path)
            return load_file(path)
        with torch.serialization.safe_globals(_array_makers() if arrays else []):
            return torch.load(path, map_location="cpu", weights_only=True)
    except BokehbenchError:
        raise
    except Exception as error:
        if isinstance(error, pickle.UnpicklingError) and "Unsupported" in str(error):
            raise BokehbenchError(
                f"{path} holds objects that could run code, so it was not loaded: "
                "save it again as a plain state dict or as .safetensors."
            ) from error
        raise BokehbenchError(
            f"{path} is truncated or no checkpoint ({type(error).__name__}): fetch it again."
        ) from error


def _array_makers() -> list[Any]:
    """What numpy's arrays and numbers are pickled as, in old files too; these make numbers and nothing else."""
    import numpy as np
    from numpy._core.multiarray import _reconstruct, scalar

    old = [(make, f"numpy.core.multiarray.{make.__name__}") for make in (_reconstruct, scalar)]
    kinds = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?")]
    return [_reconstruct, scalar, *old, np.ndarray, np.dtype, *kinds]


def write_tensors(state: Mapping[str, Any], path: Path) -> None:
    """Tensors on the CPU as a .safetensors file that holds the SHA-256 of what is behind its header."""
    from safetensors.torch import save

    start = 8 + int.from_bytes((content := save(dict(state)))[:8], "little")
    told = {"format": "pt", "sha256": hashlib.sha256(memoryview(content)[start:]).hexdigest()}
    # safetensors would write the two in any order, and the same weights are to be the same bytes
    header = json.dumps({"__metadata__": told} | json.loads(content[8:start]), separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[start:])


def _refuse_changed(path: Path) -> None:
    """Raise BokehbenchError where a .safetensors file's bytes are not those of its SHA-256, if it holds one."""
    from safetensors import safe_open

    with safe_open(path, "pt") as tensors:
        told = (tensors.metadata() or {}).get("sha256")
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        if told is not None and hashlib.file_digest(file, "sha256").hexdigest() != told:
            raise BokehbenchError(f"{path} is damaged: its bytes have changed. Fetch or write it again.")


def located(place: str | Path) -> Path:
    """What somebody who named weights means: a file, or a folder of weights.

    Args:
        place: either of them; the folder of a run (its newest checkpoint); or ``USER/REPO`` or ``USER/REPO@REVISION``,
            which is fetched from the Hugging Face Hub unless there is something of that name here.

    Raises:
        BokehbenchError: a folder without weights, or nothing that can be fetched.
    """
    path = Path(place).expanduser()
    if path.is_dir() and not (path / CONFIG).is_file():
        found = newest(path, "last.ckpt") or newest(path, "checkpoints/last.ckpt")
        if found is None:
            raise BokehbenchError(
                f"{path} holds neither {CONFIG} nor last.ckpt: give a folder of weights or of a run, or a checkpoint."
            )
        return found
    remote = REPOSITORY.fullmatch(path.as_posix())
    if remote is None or path.exists() or path.suffix in SUFFIXES:
        return path
    return fetched(remote[1], remote[2])


def fetched(repository: str, revision: str | None = None, **options: Any) -> Path:
    """The folder of weights of a repository on the Hugging Face Hub, in the cache of ``huggingface_hub``.

    Args:
        repository: ``USER/REPO``.
        revision: branch, tag or commit; None: the newest.
        options: others of ``snapshot_download``, such as ``token``.

    Raises:
        BokehbenchError: no such repository or revision, or no network and nothing in the cache.
    """
    from huggingface_hub import snapshot_download

    wanted = [WEIGHTS, CONFIG, CARD]
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=wanted, **options))
    except Exception as error:  # of the hub's client, of what it speaks HTTP with, or of the disk
        raise BokehbenchError(
            f"{repository} is nothing that is here, and was not fetched from the Hugging Face Hub "
            f"({type(error).__name__}): check the name, the network and, where it is private, `hf auth login`, or give "
            "a folder or a file."
        ) from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What :func:`located` finds, as a dict of primitives and tensors on the CPU: of a .safetensors file weights alone.

    Raises:
        BokehbenchError: as :func:`located` and :func:`read_plain`, or another kind of file.
    """
    path = located(path)
    if path.is_dir():
        return _read_folder(path)
    content = read_plain(path)
    if path.suffix == ".safetensors":
        return {"state_dict": content}
    if not isinstance(content, Mapping) or "state_dict" not in content:
        raise BokehbenchError(
            f"{path} is no checkpoint of bokehbench (it has no 'state_dict'): "
            "the authors' files become one with `bokehbench import-weights`."
        )
    if wrong := _wrong_part(content):
        raise BokehbenchError(f"{path} is a broken checkpoint: {wrong}. Fetch or write it again.")
    return dict(content)


def _wrong_part(content: Mapping[str, Any]) -> str:
    """What of a checkpoint is not of the kind that we write; empty = nothing."""
    import torch

    mark = content.get("bokehbench", {})
    parts = {"state_dict": {}, "hyper_parameters": {}, "bokehbench": {}, "callbacks": {}, "loops": {}, **content}
    for name in ("state_dict", "hyper_parameters", "bokehbench", "callbacks", "loops"):
        if not isinstance(parts[name], Mapping) or not all(isinstance(key, str) for key in parts[name]):
            return f"its '{name}' is no table of names"
    names, model, stage = mark.get("stages", []), mark.get("model", ""), mark.get("stage")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return "its 'stages' are no list of names"
    if not isinstance(model, str) or not isinstance(stage, str | None):
        return "its method or stage is no name"
    for name, value in content["state_dict"].items():
        if not isinstance(value, torch.Tensor):
            return f"'{name}' is no tensor"
        plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
        if not plain or value.is_complex() or value.numel() * value.itemsize > value.untyped_storage().nbytes():
            return f"'{name}' is no plain tensor"
    return ""


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_folder(folder: Path) -> dict[str, Any]:
    """The same as a checkpoint; half precision becomes single."""
    import torch

    path = folder / WEIGHTS
    try:
        config = json.loads(read_bytes(folder / CONFIG))
        kinds = {"method": str, "arguments": dict, "stages": list, "provenance": dict, "sha256": str}
        if wrong := [key for key, kind in kinds.items() if not isinstance(config[key], kind)]:
            raise ValueError(f"wrong {', '.join(wrong)}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BokehbenchError(
            f"{folder / CONFIG} does not describe weights of bokehbench ({type(error).__name__}: {error}): fetch the "
            "folder again."
        ) from error
    if path.is_file() and sha256_of(path) != config["sha256"]:
        raise BokehbenchError(f"{path} is not the file that {CONFIG} beside it describes: fetch the folder again.")
    state = {name: v.float() if v.dtype == torch.float16 else v for name, v in read_plain(path).items()}
    mark = {"model": config["method"], "stages": config["stages"], "provenance": config["provenance"]}
    return {"state_dict": state, "hyper_parameters": config["arguments"], "bokehbench": mark}
