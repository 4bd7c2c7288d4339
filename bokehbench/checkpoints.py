"""Checkpoint files and folders of weights: found, and opened without running code. Starts without torch."""

import hashlib
import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bokehbench.errors import BokehbenchError

#: The files of a folder of weights: tensors, what they are of, and a page for people.
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
#: ``USER/REPO`` or ``USER/REPO@REVISION`` on the Hugging Face Hub.
REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
SUFFIXES = (".ckpt", ".safetensors")


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
        BokehbenchError: no such repository or revision, no network and nothing in the cache, or no folder of weights.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(repository, revision=revision, allow_patterns=[WEIGHTS, CONFIG, CARD], **options)
        )
    except Exception as error:  # of the hub's client, of what it speaks HTTP with, or of the disk
        raise BokehbenchError(
            f"{repository} is nothing that is here, and was not fetched from the Hugging Face Hub "
            f"({type(error).__name__}): check the name, the network and, where it is private, `hf auth login`, or give "
            "a folder or a file."
        ) from error
    if not (folder / CONFIG).is_file():
        raise BokehbenchError(
            f"{repository} on the Hugging Face Hub has no {CONFIG}: it holds no weights of bokehbench."
        )
    return folder


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
    if not isinstance(content, dict) or "state_dict" not in content:
        raise BokehbenchError(
            f"{path} is no checkpoint of bokehbench (it has no 'state_dict'): "
            "the authors' files become one with `bokehbench import-weights`."
        )
    return content


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a folder of weights, which names a method, its arguments, and the hash of the weights.

    Raises:
        BokehbenchError: there is no such file, or it is none of bokehbench.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kinds = {"method": str, "arguments": dict, "stages": list, "provenance": dict, "sha256": str}
        if wrong := [key for key, kind in kinds.items() if not isinstance(config[key], kind)]:
            raise ValueError(f"wrong {', '.join(wrong)}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BokehbenchError(
            f"{folder / CONFIG} does not describe weights of bokehbench ({type(error).__name__}: {error}): fetch the "
            "folder again."
        ) from error
    return dict(config)


def _read_folder(folder: Path) -> dict[str, Any]:
    """The same as a checkpoint; half precision becomes single."""
    import torch

    config, path = read_config(folder), folder / WEIGHTS
    if path.is_file() and _sha256(path) != config["sha256"]:
        raise BokehbenchError(f"{path} is not the file that {CONFIG} beside it describes: fetch the folder again.")
    state = {name: v.float() if v.dtype == torch.float16 else v for name, v in read_plain(path).items()}
    mark = {"model": config["method"], "stages": config["stages"], "provenance": config["provenance"]}
    return {"state_dict": state, "hyper_parameters": config["arguments"], "bokehbench": mark}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_folder(folder: Path, state: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Tensors and ``config.json`` of a folder of weights, which is there; ``sha256`` is added."""
    from safetensors.torch import save_file

    save_file(dict(state), folder / WEIGHTS, {"format": "pt"})
    told = {**config, "sha256": _sha256(folder / WEIGHTS)}
    (folder / CONFIG).write_text(json.dumps(told, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")
