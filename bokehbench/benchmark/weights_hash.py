"""Which weights a result is of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor

from bokehbench.benchmark.identity import NO_WEIGHTS


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over names, types, shapes and bytes of a state dict, in the order of the names.

    The same whatever the file format, device or order; :data:`identity.NO_WEIGHTS` where there are none.
    """
    if not state:
        return NO_WEIGHTS
    total = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
