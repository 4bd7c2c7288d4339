"""Closed-form fits of a fresh level's first weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

BLACK = math.atanh(0.5 / 0.58)
"""-z of a black pixel: 0.58 tanh(-BLACK) + 0.5 = 0. Darker values are clipped in every test anyway."""
RIDGE = 1e-6


def to_rows(x: Tensor) -> Tensor:
    """Pictures to rows: C H W -> HW C, in double on the CPU (some accelerators have no double)."""
    return x.flatten(1).T.cpu().double()


def least_squares(rows: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """argmin_w sum |A w - y|^2 over the pairs (A, y), with a ridge of 1e-6 of the mean diagonal."""
    gram: Tensor | float = 0.0
    right: Tensor | float = 0.0
    for a, y in rows:
        gram, right = gram + a.T @ a, right + a.T @ y
    assert isinstance(gram, Tensor)
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    return torch.linalg.solve(gram, right)
