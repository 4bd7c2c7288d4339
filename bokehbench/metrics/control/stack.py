"""The input, blurred with disks of known radii: the ruler of all radii (docs/metrics/control.md, 2.2)."""

import math

import numpy as np
import torch

from bokehbench.optics.blur import blur
from bokehbench.optics.linear_light import to_linear, to_srgb

#: Radii of the disks as drawn, px: near ones below 4, then 10.5 % apart.
NOMINAL = (
    0.0, 0.55, 0.65, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.35, 2.7, 3.1, 3.5, *(4.0 * (29.4 / 4) ** (n / 20) for n in range(21)),
)  # fmt: skip
#: Points per pixel and axis that a disk's area is counted with.
POINTS = 16


def area_disk(radius: float) -> np.ndarray:
    """Disk of ``radius`` px by the share of each pixel that it covers: (2R+1, 2R+1), sums to 1."""
    reach = math.ceil(radius)
    axis = (np.arange((2 * reach + 1) * POINTS) + 0.5) / POINTS - reach - 0.5
    inside = axis[:, None] ** 2 + axis[None, :] ** 2 <= radius**2
    kernel = inside.reshape(2 * reach + 1, POINTS, -1, POINTS).mean((1, 3)) if radius else np.ones((1, 1))
    return kernel / kernel.sum()


def moment_radius(kernel: np.ndarray) -> float:
    """2 sqrt(E[u^2]) in px: the radius of the disk that spreads light as far; a Gaussian of deviation s has 2 s."""
    axis = np.arange(len(kernel)) - len(kernel) // 2
    return float(2 * np.sqrt((kernel.sum(1) * axis**2).sum()))


def blurred(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """``image`` (3 H W, encoded, [0, 1]) blurred in linear light, its edge pixels repeated outwards."""
    light = to_linear(torch.from_numpy(np.ascontiguousarray(image, np.float32)))
    return to_srgb(blur(light, torch.from_numpy(kernel), "replicate")).numpy()


def stack(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radii in px (n) and the pictures blurred by them (n 3 H W, encoded).

    Args:
        image: the all-in-focus input, 3 H W in [0, 1], encoded.
    """
    kernels = [area_disk(radius) for radius in NOMINAL]
    return np.array([moment_radius(kernel) for kernel in kernels]), np.stack([blurred(image, k) for k in kernels])
