"""Weights: loaded with every name and shape checked, and hashed."""

import hashlib
import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.provenance import NO_WEIGHTS

#: What :func:`weights_name` gives.
WEIGHTS_NAME = re.compile(r"\w+ [0-9a-f]{8}")


def load_state(module: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Strict ``load_state_dict`` whose failure is a sentence; ``source`` names where ``state`` came from.

    Raises:
        BokehbenchError: as :func:`refuse_state`.
    """
    refuse_state(module, state, source)
    module.load_state_dict(state)


def refuse_state(module: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Refuse tensors that ``module`` cannot take, or should not.

    Raises:
        BokehbenchError: names the first missing, unknown or mis-shaped tensors, or those that hold NaN or infinity.
    """
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
    kinds = [name for name, value in own.items() if state[name].is_floating_point() != value.is_floating_point()]
    if kinds:
        raise BokehbenchError(f"The weights of {source} are of another kind of numbers ({kinds[0]}): fetch them again.")
    if broken := not_finite(state):
        raise BokehbenchError(
            f"The weights of {source} hold NaN or infinity ({broken[0]}{', ...' if broken[1:] else ''}): their "
            "training failed, or the file is damaged. Use an earlier checkpoint."
        )


def not_finite(state: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors that hold NaN or infinity."""
    return [name for name, value in state.items() if value.is_floating_point() and not bool(value.isfinite().all())]


def weights_hash(module: nn.Module) -> str:
    """SHA-256 (hex) over names, types, shapes and bytes of a module's state, in the order of the names.

    The same whatever the file format, device or order; :data:`NO_WEIGHTS` where there is no state.
    """
    return state_hash(module.state_dict())


def weights_name(model: nn.Module) -> str:
    """What results call a method with its weights, in place of a path: its class and the hash's first digits."""
    return f"{type(model).__name__} {weights_hash(model)[:8]}"


def state_hash(state: Mapping[str, Tensor]) -> str:
    """:func:`weights_hash` of a module with this state."""
    total = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest() if state else NO_WEIGHTS
