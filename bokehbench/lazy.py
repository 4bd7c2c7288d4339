"""torch, imported at its first use: files of metrics declare the columns that boards read, and boards start without."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class _Lazy:
    """A module that is imported when it is first asked for something."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import Tensor
else:
    torch, F = _Lazy("torch"), _Lazy("torch.nn.functional")
    Tensor = Any  # for annotations only: isinstance asks torch.Tensor

__all__ = ["F", "Tensor", "torch"]
