"""The input, blurred with disks of known radii: the ruler of all radii (docs/metrics/control.md, 2.2)."""

import numpy as np
import torch
from torch import Tensor

from bokehbench.optics.aperture_kernels import area_disk
from bokehbench.optics.blur import blur
from bokehbench.optics.linear_light import to_linear, to_srgb

#: Radii of the disks as drawn, px: near ones below 4, then 10.5 % apart.
NOMINAL = (
    0.0, 0.55, 0.65, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.35, 2.7, 3.1, 3.5,
    *(4.0 * (29.4 / 4) ** (n / 20) for n in range(21)),
)  # fmt: skip


def moment_radius(kernel: Tensor) -> float:
    """2 sqrt(E[u^2]) in px: the radius of the disk that spreads light as far; a Gaussian of deviation s has 2 s."""
    axis = torch.arange(len(kernel)) - len(kernel) // 2
    return 2 * float((kernel.sum(1) * axis**2).sum()) ** 0.5


def stack(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radii in px (n), and the input blurred by them in linear light, its edge pixels repeated outwards (n 3 H W).

    Args:
        image: the all-in-focus input, 3 H W in [0, 1], encoded.
    """
    light = to_linear(torch.from_numpy(np.ascontiguousarray(image, np.float32)))
    kernels = [area_disk(radius, torch.float64) for radius in NOMINAL]
    blurred = [to_srgb(blur(light, kernel, "replicate")).numpy() for kernel in kernels]
    return np.array([moment_radius(kernel) for kernel in kernels]), np.stack(blurred)
