"""D2F part D, deep Poisson fusion: where the sharp original shows through the upsampled rendering."""

from typing import Literal

import torch
from kornia.color import rgb_to_grayscale
from torch import Tensor, nn

from bokehbench.optics import per_image
from bokehbench.optics.strips import in_strips, wants_strips

FusionMode = Literal["none", "initial", "refined"]

TAU = 1 / 8
"""Defocus below which a pixel counts as sharp: between the kernels of radius 1 and 2 (spec 4.5)."""


def sharpness_threshold(low: Tensor, high: Tensor) -> Tensor:
    """theta = tau if low < tau, else low + tau (high - low), so that the sharp set is never empty (spec 4.5).

    ``low`` and ``high``: the smallest and largest defocus of each picture, any one shape.
    """
    return torch.where(low < TAU, torch.full_like(low, TAU), low + TAU * (high - low))


def initial_mask(defocus: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """M0 = 1 where defocus < theta, else 0: B 1 H W (upsampled defocus) -> B 1 H W, without gradient.

    Give the whole picture's ``low`` and ``high`` (shape B) with a crop: theta must not depend on the crop.
    """
    defocus = defocus.detach()
    low = defocus.amin((1, 2, 3)) if low is None else low
    high = defocus.amax((1, 2, 3)) if high is None else high
    return (defocus < per_image(sharpness_threshold(low, high), defocus)).to(defocus.dtype)


def fuse(image: Tensor, rendering: Tensor, mask: Tensor) -> Tensor:
    """M I + (1 - M) B^, all B . H W at full size; mask 1 keeps the original pixel."""
    return mask * image + (1 - mask) * rendering


class FusionMask(nn.Module):
    """The mask network, 12,913 parameters: four 3x3 convolutions at full resolution (released code).

    Its input is [1 - defocus, luma]; it sees neither the rendering nor the initial mask. Untrained, its mask is 0
    everywhere (ours), so that a network whose first stage alone was trained shows its rendering.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(2, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 16, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(inplace=True),
            last := nn.Conv2d(16, 1, 3, padding=1),
        )
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, image: Tensor, defocus: Tensor) -> Tensor:
        """RGB B 3 H W in [0, 1] and upsampled defocus B 1 H W -> linear mask B 1 H W; clamp to [0, 1] at test.

        Train on the linear output (a clamp has no gradient outside) with :func:`.poisson.range_penalty`.
        """
        seen = torch.cat([1 - defocus, rgb_to_grayscale(image)], dim=1)
        if wants_strips(self):
            return in_strips(lambda start, stop: self.net(seen[..., start:stop, :]), seen.shape[-2:], halo=4)
        return self.net(seen)
