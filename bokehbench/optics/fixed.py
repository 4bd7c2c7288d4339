"""The renderers as programs of fixed length, which torch.export and ONNX can hold: the same formulas, other sums.

The renderers beside this file look at their values: how many disks a picture needs, which layers are empty, which size
a transform is fast at. Here the largest radius, ``reach``, is chosen beforehand, and everything up to it is computed.
One picture at a time (B = 1); height and width may be symbols.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.optics.aperture_kernels import ROUNDING, disk, soft_disk, squared_distances
from bokehbench.optics.circle_of_confusion import circle_of_confusion, signed_defocus
from bokehbench.optics.layered import plane_alphas
from bokehbench.optics.scatter import FINE_UP_TO, FINER, SHARPEST, disk_at, place_of, radius_at, share_of
from bokehbench.optics.weighted_layers import NOTHING, unweighted


class Waves:
    """The discrete Fourier transform of real maps, as matrix products: no complex numbers, and any size is as fast.

    Args:
        height, width: of the periodic frame, in pixels.
        dtype: of the maps.
    """

    def __init__(self, height: int, width: int, dtype: torch.dtype) -> None:
        self.down = _waves(height, height, dtype)
        self.across = _waves(width, width // 2 + 1, dtype)
        # The other half of the spectrum of a real map is the conjugate: all columns but the first and, of even
        # widths, the last count twice
        column = torch.arange(width // 2 + 1)
        twice = 2 - (column == 0).to(dtype) - (2 * column == width).to(dtype)
        self.back = tuple(wave.mT * (twice / (height * width))[:, None] for wave in self.across)

    def spectra(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps N h w -> real and imaginary part, N h (w / 2 + 1) each."""
        real, negative = maps @ self.across[0], maps @ self.across[1]
        cosine, sine = self.down
        return cosine @ real - sine @ negative, -(cosine @ negative + sine @ real)

    def maps(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """The inverse of :meth:`spectra`."""
        cosine, sine = self.down
        return (cosine @ real - sine @ imaginary) @ self.back[0] - (sine @ real + cosine @ imaginary) @ self.back[1]

    def of_kernel(self, quarter: Tensor) -> Tensor:
        """The spectrum, which is real, of a kernel that equals its mirror images, centred at the frame's origin.

        ``quarter`` (R+1)²: its lower right part from the centre on.
        """
        side = quarter.shape[-1]
        twice = torch.tensor([1.0] + [2.0] * (side - 1), dtype=quarter.dtype)
        return self.down[0][:, :side] @ (quarter * twice * twice[:, None]) @ self.across[0][:side]


def _waves(length: int, count: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of 2 pi j k / length, length x count; the turn is reduced first, so that nothing is lost."""
    turns = (torch.arange(length)[:, None] * torch.arange(count)).double() / length
    angles = (turns - turns.floor()) * (2 * math.pi)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _quarter(kernel: Tensor) -> Tensor:
    return kernel[kernel.shape[0] // 2 :, kernel.shape[1] // 2 :]


def _padded(maps: Tensor, reach: int, mode: str) -> Tensor:
    return F.pad(maps, (reach, reach, reach, reach), mode=mode)


def _inner(maps: Tensor, reach: int) -> Tensor:
    return maps[..., reach : maps.shape[-2] - reach, reach : maps.shape[-1] - reach]


def _over(stack: Tensor, masks: Tensor, quarters: Iterable[Tensor], reach: int, mode: str) -> tuple[Tensor, Tensor]:
    """:func:`bokehbench.optics.composite` with kernels as quarters, none larger than ``reach``."""
    waves = Waves(stack.shape[-2] + 2 * reach, stack.shape[-1] + 2 * reach, stack.dtype)
    seen = torch.zeros_like(torch.cat([stack, masks[:, :1]], 1))
    for index, quarter in enumerate(quarters):
        mask = masks[:, index : index + 1]
        real, imaginary = waves.spectra(_padded(torch.cat([mask * stack, mask], 1), reach, mode))
        kernel = waves.of_kernel(quarter)
        blurred = _inner(waves.maps(real * kernel, imaginary * kernel), reach)
        seen = seen * (1 - blurred[:, -1:]) + blurred
    return seen[:, :-1], seen[:, -1:]


def layered(
    light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor, *, layers: int, margin: float, reach: int
) -> Tensor:
    """:func:`bokehbench.optics.layered` with hard disks, for apertures up to ``reach`` px."""
    centres = (torch.arange(layers, dtype=disparity.dtype) + 0.5) / layers
    radii = (circle_of_confusion(centres.reshape(1, 1, 1, -1), focus, 1.0) - margin).clamp(min=0) * aperture
    squares = (radii.flatten().double().square() * (1 + ROUNDING)).floor()
    distances = squared_distances(reach)
    count = (distances <= squares[:, None, None]).double().sum((1, 2))
    quarter = _quarter(distances)
    quarters = ((quarter <= squares[i]).double() / count[i] for i in range(layers))
    masks = plane_alphas(disparity, layers)
    colour, covered = _over(light, masks, (each.to(light.dtype) for each in quarters), reach, "replicate")
    return colour / covered


def compositional(
    light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor, *, step: float, reach: int
) -> Tensor:
    """:func:`bokehbench.optics.compositional` for apertures up to ``reach`` px."""
    place = circle_of_confusion(disparity, focus, aperture) / step
    count = math.ceil(reach / step) + 1
    reach = math.floor((count - 1) * step)
    padded = _padded(light, reach, "replicate")
    waves = Waves(padded.shape[-2], padded.shape[-1], light.dtype)
    real, imaginary = waves.spectra(padded)
    result = torch.zeros_like(light)
    for index in range(count):
        kernel = waves.of_kernel(_quarter(disk(index * step, light.dtype)))
        result = result + share_of(place, index) * _inner(waves.maps(real * kernel, imaginary * kernel), reach)
    return result


def scatter(
    light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor, *, reach: int, step: float = 0.25
) -> Tensor:
    """:func:`bokehbench.optics.scatter` of the signed defocus, for apertures up to ``reach`` px."""
    radius = signed_defocus(disparity, focus, aperture).abs()
    energy = 1 / (radius.square() + SHARPEST)
    maps = torch.cat([light * energy, energy], 1)
    place = place_of(radius, step)
    count = math.ceil((min(reach, FINE_UP_TO) * FINER + max(reach - FINE_UP_TO, 0)) / step) + 1
    frame = math.floor(radius_at(count - 1, step)) + 1
    height, width = maps.shape[-2:]
    waves = Waves(height + frame, width + frame, light.dtype)
    sums = [torch.zeros_like(part) for part in waves.spectra(F.pad(maps, (0, frame, 0, frame)))]
    for j in range(count):
        kernel = waves.of_kernel(_quarter(disk_at(radius_at(j, step))).to(light.dtype))
        parts = waves.spectra(F.pad(maps * share_of(place, j), (0, frame, 0, frame)))
        sums = [total + part * kernel for total, part in zip(sums, parts, strict=True)]
    spread = waves.maps(sums[0], sums[1])[..., :height, :width]
    return spread[:, :-1] / spread[:, -1:]


def weighted_layers(
    image: Tensor, defocus: Tensor, weight: Tensor, *, radii: Sequence[int], sharpness: float, kernel: str
) -> Tensor:
    """:func:`bokehbench.optics.weighted_layers`, reflected at the edges, in fp64 throughout.

    Sides must be longer than the largest radius.
    """
    shape: Callable[..., Tensor] = disk if kernel == "hard" else soft_disk
    delta, count = 1 / (len(radii) - 1), len(radii)
    masks = [0.5 + 0.5 * torch.tanh(sharpness * (delta - (defocus.double() - i * delta).abs())) for i in range(count)]
    quarters = [_quarter(shape(radius, dtype=torch.float32)).double() for radius in reversed(radii)]
    stack = torch.cat([weight * image, weight], 1).double()
    light, covered = _over(stack, torch.cat(masks[::-1], 1), quarters, max(radii), "reflect")
    return unweighted(light, covered, NOTHING[torch.float32]).to(image.dtype)
