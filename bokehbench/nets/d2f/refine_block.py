"""RefineNet-style fusion of one encoder level with the path from the level below (d2f: MiDaS-v2 decoder)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ResidualUnit(nn.Module):
    """relu(z) + conv2(relu(conv1(relu(z)))), B C h w -> B C h w.

    The skip adds relu(z), not z: the released code's first ReLU works in place, and its weights were trained so.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """B C h w -> B C h w."""
        z = F.relu(z)
        return z + self.conv2(F.relu(self.conv1(z)))


class RefineBlock(nn.Module):
    """``output_unit(path + lateral_unit(lateral))``, then twice the size; without a path: ``output_unit(lateral)``.

    The deepest block has no path and hence no use for a lateral unit; ``lateral_unit=True`` there only makes room
    for the official file's unused weights.
    """

    def __init__(self, channels: int, *, lateral_unit: bool = True) -> None:
        super().__init__()
        self.lateral_unit = ResidualUnit(channels) if lateral_unit else None
        self.output_unit = ResidualUnit(channels)

    def forward(self, lateral: Tensor, path: Tensor | None = None) -> Tensor:
        """Lateral B C h w (and path, the same shape) -> B C 2h 2w."""
        if path is not None and self.lateral_unit is not None:
            lateral = path + self.lateral_unit(lateral)
        # align_corners differs from every other resize in D2F: the released decoder's choice.
        return F.interpolate(self.output_unit(lateral), scale_factor=2, mode="bilinear", align_corners=True)
