"""Maps kept on disk, so that a depth network sees a picture once."""

import os
from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_path
from torch import Tensor

from bokehbench.files import write_atomic

#: Maps are stored as whole numbers up to this: a third of a float's room, finer than any network's error.
LEVELS = 65535


def cache_folder() -> Path:
    """``$BOKEHBENCH_CACHE``, else the folder where this platform keeps what can be made again."""
    chosen = os.environ.get("BOKEHBENCH_CACHE")
    return Path(chosen) if chosen else user_cache_path("bokehbench", appauthor=False, opinion=False)


class MapCache:
    """H W maps in [0, 1] under keys, in ``folder`` (None = ``depth`` in :func:`cache_folder`).

    A file that cannot be read counts as not there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "depth"

    def path(self, key: str) -> Path:
        """Where the map of ``key`` (hex digits) is kept."""
        return self.folder / key[:2] / f"{key}.npy"

    def read(self, key: str, size: tuple[int, int]) -> Tensor | None:
        """The map of H x W, float32 on the CPU; None where there is none."""
        try:
            stored = np.load(self.path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if stored.shape != size or stored.dtype != np.uint16:
            return None
        return torch.from_numpy(stored.astype(np.float32)) / LEVELS

    def write(self, key: str, values: Tensor) -> Tensor:
        """Keep an H W map in [0, 1]; returns what :meth:`read` will give, so that the first run is like the next.

        Raises:
            BokehbenchError: the folder cannot be written to.
        """
        levels = (values.detach().float().cpu() * LEVELS).round().numpy().astype(np.uint16)
        write_atomic(self.path(key), lambda file: np.save(file, levels))
        return torch.from_numpy(levels.astype(np.float32)) / LEVELS
