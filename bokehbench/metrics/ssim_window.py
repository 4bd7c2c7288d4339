"""Windows of SSIM as shifted additions."""

import math
from dataclasses import dataclass
from typing import Literal

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.lazy import Tensor

WINDOWS = ("uniform", "gaussian")
COVARIANCES = ("sample", "population")


@dataclass(frozen=True)
class Window:
    """A separable, symmetric window with weights that sum to 1 along each axis.

    Attributes:
        taps: weights along one axis.
        covariance: what the mean of products about the mean is multiplied with: 1, or n/(n-1) for n samples.
    """

    taps: tuple[float, ...]
    covariance: float

    @property
    def size(self) -> int:
        """Pixels along one axis."""
        return len(self.taps)

    def __call__(self, maps: Tensor) -> Tensor:
        """Weighted means over windows inside the picture: ... H W to ... H-n+1 W-n+1.

        Shifted additions: 1-channel convolutions of 1 x 11 leave oneDNN's fast path and are 3 to 10 times slower.
        """
        equal = len(set(self.taps)) == 1
        for axis in (-2, -1):
            maps = _running_sum(maps, self.size, axis) if equal else self._weighted(maps, axis)
        return maps.mul_(self.taps[0] ** 2) if equal else maps

    def _weighted(self, maps: Tensor, axis: int) -> Tensor:
        length = maps.shape[axis] - self.size + 1
        result = maps.narrow(axis, 0, length) * self.taps[0]
        for shift, tap in enumerate(self.taps[1:], start=1):
            result.add_(maps.narrow(axis, shift, length), alpha=tap)
        return result


def _running_sum(maps: Tensor, size: int, axis: int) -> Tensor:
    """Sums of ``size`` neighbours along an axis in about log2(size) additions: sums of 1, 2, 4 ... joined."""
    length = maps.shape[axis] - size + 1
    result: Tensor | None = None
    power, covered = 1, 0
    while True:
        if size & power:
            part = maps.narrow(axis, covered, length)
            result = part.clone() if result is None else result.add_(part)
            covered += power
        if covered == size:
            return result if result is not None else maps
        maps = maps.narrow(axis, 0, maps.shape[axis] - power) + maps.narrow(axis, power, maps.shape[axis] - power)
        power *= 2


def window_of(
    window: Literal["uniform", "gaussian"], covariance: Literal["sample", "population"] | None = None
) -> Window:
    """The two windows in use.

    ``"uniform"``: 7 x 7 box, by default with the sample covariance (scikit-image's default). ``"gaussian"``: 11 x 11,
    sigma 1.5, by default with the population covariance (Wang et al. 2004; tf.image, torchmetrics).

    Raises:
        BokehbenchError: unknown window or covariance.
    """
    if window not in WINDOWS:
        raise BokehbenchError(f"SSIM has no window '{window}': {nearest(str(window), WINDOWS)}.")
    covariance = covariance or ("sample" if window == "uniform" else "population")
    if covariance not in COVARIANCES:
        raise BokehbenchError(f"SSIM has no covariance '{covariance}': {nearest(str(covariance), COVARIANCES)}.")
    weights = [1.0] * 7 if window == "uniform" else [math.exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)]
    taps = tuple(w / math.fsum(weights) for w in weights)
    count = len(taps) ** 2
    return Window(taps, count / (count - 1) if covariance == "sample" else 1.0)
