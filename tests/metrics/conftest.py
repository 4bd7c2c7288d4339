"""Picture pairs that look a little like photographs: smooth shapes, detail, and a disturbed copy."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor


def photo(height: int, width: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """1 3 H W in [0, 1] with structure at three scales."""
    generator = torch.Generator().manual_seed(seed)
    seeds = [torch.rand(1, 3, height // s + 2, width // s + 2, generator=generator) for s in (32, 8, 2)]
    layers = [F.interpolate(small, (height, width), mode="bicubic") for small in seeds]
    return (0.6 * layers[0] + 0.3 * layers[1] + 0.1 * layers[2]).clamp(0, 1).to(dtype)


@pytest.fixture(scope="session")
def pair() -> tuple[Tensor, Tensor]:
    """Prediction and target, 2 3 180 213 (odd width), float32, rounded to 8 bits."""
    target = torch.cat([photo(180, 213, 1), photo(180, 213, 2)])
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(target.shape, generator=generator) * torch.tensor([0.03, 0.1]).reshape(2, 1, 1, 1)
    prediction = F.avg_pool2d(target + noise, 3, stride=1, padding=1, count_include_pad=False) * 0.9 + 0.05
    return prediction.clamp(0, 1).mul(255).round() / 255, target.mul(255).round() / 255
