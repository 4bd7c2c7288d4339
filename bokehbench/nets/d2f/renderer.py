"""D2F part C, weighted layered rendering: the switches around :func:`bokehbench.optics.weighted_layers`."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.optics.weighted_layers import RADII as RELEASED_RADII
from bokehbench.optics.weighted_layers import weighted_layers

KernelSet = Literal[15, 17, 6]
DiskEdge = Literal["soft", "hard"]

#: Kernel radii in pixels of the half-size picture: the released model's, and two sets of its earlier versions.
RADII: dict[int, tuple[int, ...]] = {
    15: RELEASED_RADII,
    17: (0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 21, 24, 27, 30, 34),
    6: (0, 4, 10, 18, 26, 34),
}


def defocus_top(kernel_set: KernelSet) -> float:
    """Largest defocus that the layers cover well, 1 + half an interval: the largest kernel alone (spec, trap 2).

    Raises :class:`BokehbenchError` for an unknown set.
    """
    if kernel_set not in RADII:
        raise BokehbenchError(f"kernel_set {kernel_set} is not one of {', '.join(map(str, RADII))}.")
    return 1 + 0.5 / (len(RADII[kernel_set]) - 1)


def defocus_of(radius: Tensor, kernel_set: KernelSet = 15) -> Tensor:
    """The defocus at which the layers blur by ``radius`` (pixels of the half-size picture, any shape): same shape.

    Linear between the middles of the layers' intervals, (i + 1/2) / (N - 1) for the radius of layer i, and 0 for 0; at
    most :func:`defocus_top`. Ours, to compare with true radii: what D2F learns is an index that nobody labels.
    """
    radii = torch.tensor(RADII[kernel_set], dtype=radius.dtype, device=radius.device)
    count = len(radii)
    middle = (torch.arange(count, dtype=radius.dtype, device=radius.device) + 0.5) / (count - 1)
    middle[0] = 0
    radius = radius.clamp(0, float(RADII[kernel_set][-1]))
    above = (radius[..., None] > radii).sum(-1).clamp(1, count - 1)
    share = (radius - radii[above - 1]) / (radii[above] - radii[above - 1])
    return torch.lerp(middle[above - 1], middle[above], share)


@dataclass
class WeightedLayeredRendering:
    """B = C(W x; D) / (C(W; D) + 1e-10), C = over-compositing of the blurred layers (spec 4.4); no parameters.

    Always in float32 (or float64 for float64 pictures), under autocast too: 1e-10 and 3x^5 vanish in half precision.
    Reflects at the edges as often as the largest kernel needs, so that any size works.

    Args:
        kernel_set: 15 layers as released, 17 or 6 as in earlier versions (masks by tanh in all three: the 6-layer
            model's own softmax masks belong to another head).
        disk_edge: ``"soft"`` as released, or ``"hard"``.
        sharpness: alpha of the masks, 100 as released; a plain attribute, so that a schedule can change it.
        clamp: hold D within [0, ``defocus_top``]. Off as released: past about -0.18 and 1.18 pixels turn black.
        low_memory: in training keep a quarter of the intermediate pictures and blur twice.
    """

    kernel_set: KernelSet = 15
    _: KW_ONLY
    disk_edge: DiskEdge = "soft"
    sharpness: float = 100.0
    clamp: bool = True
    low_memory: bool = False

    def __post_init__(self) -> None:
        self.top, self.radii = defocus_top(self.kernel_set), RADII[self.kernel_set]

    def __call__(self, image: Tensor, weight: Tensor, defocus: Tensor) -> Tensor:
        """Picture B 3 h w in [0, 1], weight B 3 h w >= 0, defocus B 1 h w -> B 3 h w; differentiable in all three."""
        return weighted_layers(
            image, defocus.clamp(0, self.top) if self.clamp else defocus, weight, radii=self.radii,
            sharpness=self.sharpness, kernel=self.disk_edge, low_memory=self.low_memory,
        )  # fmt: skip
