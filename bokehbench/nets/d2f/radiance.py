"""D2F part B, radiance virtualisation: how much each source pixel counts when blurred pixels are averaged."""

from typing import Literal

import torch
from torch import Tensor, nn

RadianceMode = Literal["full", "learned", "highlight", "off"]

CLIPPED = 0.99
"""A pixel is clipped when any of its channels reaches this (released code)."""


def highlight_weight(image: Tensor) -> Tensor:
    """3 x^5 per channel (B 3 h w in [0, 1] -> B 3 h w): 1 -> 3, 0.5 -> 0.094 (spec 4.2).

    Per channel as released: around saturated coloured lights the low channels get almost no weight.
    """
    return 3 * image**5


class RadianceVirtualization(nn.Module):
    """W = (1 - S) g(x) + S 3x^5 with S = any channel >= 0.99 (spec 4.2); g is a 353-parameter per-pixel network.

    Args:
        mode: ``"full"`` as above; ``"learned"`` W = g everywhere; ``"highlight"`` g = 1, so that clipped pixels alone
            stand out (our reading of the ablation); ``"off"`` W = 1. May be changed on a trained network.
    """

    def __init__(self, mode: RadianceMode = "full") -> None:
        super().__init__()
        self.mode = mode
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 16, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 1, 1),
            nn.Sigmoid(),
        )
        # One state dict for all modes; weights that the mode never uses must not look trainable to DDP.
        self.requires_grad_(mode in ("full", "learned"))

    def forward(self, image: Tensor) -> Tensor:
        """B 3 h w RGB in [0, 1], at the size that is rendered -> W, B 3 h w, > 0 (0 only where a clipped pixel has a
        channel that is 0)."""
        if self.mode == "off":
            return torch.ones_like(image)
        learned = self.net(image).to(image.dtype) if self.mode in ("full", "learned") else torch.ones_like(image)
        learned = learned.expand_as(image)
        if self.mode == "learned":
            return learned
        clipped = (image >= CLIPPED).any(dim=1, keepdim=True)
        return torch.where(clipped, highlight_weight(image), learned)
