"""Light adds up in linear light, not in gamma-encoded pictures: blur there and come back."""

from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
from torch import Tensor


def to_linear(srgb: Tensor) -> Tensor:
    """Undo the sRGB curve (IEC 61966-2-1): ... 3 H W in [0, 1] to linear RGB in [0, 1]. Differentiable."""
    return rgb_to_linear_rgb(srgb)


def to_srgb(linear: Tensor) -> Tensor:
    """Apply the sRGB curve (IEC 61966-2-1): ... 3 H W linear RGB, clipped to [0, 1], to encoded RGB in [0, 1].

    Differentiable.
    """
    return linear_rgb_to_rgb(linear.clamp(0, 1))
