"""Which weights a result is of."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from bokehbench.board.identity import NO_WEIGHTS
from bokehbench.models.weights import state_hash


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """:func:`state_hash` of a state dict; :data:`identity.NO_WEIGHTS` where there are no weights."""
    return state_hash(state) if state else NO_WEIGHTS
