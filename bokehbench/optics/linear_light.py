"""Light adds up in linear light, not in gamma-encoded pictures: blur there and come back.

The curve is that of IEC 61966-2-1, equal to kornia's to the bit; importing kornia takes longer than a small picture.
"""

import torch
from torch import Tensor

#: Encoded and linear values up to which the curve is a line.
ENCODED_LINE, LINEAR_LINE = 0.04045, 0.0031308


def to_linear(srgb: Tensor) -> Tensor:
    """Undo the sRGB curve: encoded values in [0, 1], of any shape, to linear ones in [0, 1]. Differentiable."""
    power = torch.pow((srgb + 0.055).clamp(min=0.0) / 1.055, 2.4)
    return torch.where(srgb > ENCODED_LINE, power, srgb / 12.92)


def to_srgb(linear: Tensor) -> Tensor:
    """Apply the sRGB curve: linear values, clipped to [0, 1], of any shape, to encoded ones. Differentiable."""
    linear = linear.clamp(0, 1)
    power = 1.055 * torch.pow(linear.clamp(min=LINEAR_LINE), 1 / 2.4) - 0.055  # no infinite gradient at 0
    return torch.where(linear > LINEAR_LINE, power, 12.92 * linear)
