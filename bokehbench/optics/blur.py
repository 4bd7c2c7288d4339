"""Blur with one aperture for the whole picture, the fastest exact way that was measured (benchmarks/optics.py).

A dense depthwise convolution never wins on the CPU, not even for a 3 x 3 kernel: hard disks up to
:data:`ROW_RUNS_UP_TO` px go as row runs, everything else through FFTs.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.optics.aperture_kernels import disk, largest_square
from bokehbench.optics.convolution import convolve, plan
from bokehbench.optics.padding import Padding, check_padding, pad
from bokehbench.optics.row_runs import gather, spread

#: Measured crossover of row runs and FFT for hard disks, in px: 12 at 320 x 320, 16 at 512 x 768.
ROW_RUNS_UP_TO = 12.0

#: What blurs N h w maps in the form "same", "valid" or "full" of :func:`plan`.
Blurring = Callable[[Tensor, str], Tensor]


def blur(image: Tensor, kernel: Tensor, padding: Padding = "zero") -> Tensor:
    """Convolve every map of ``image`` with ``kernel``: a bright point becomes the kernel's shape.

    out(p) = sum_q kernel(p - q) image(q). ``image`` B C H W (or C H W), ``kernel`` (2R+1, 2S+1), ``padding`` see
    :data:`Padding`; the result has the size of ``image``, or grows by R and S on every side with "full".
    Differentiable with respect to ``image`` (not the kernel) with nothing saved but the kernel's spectrum; half
    precision is computed in fp32. Raises BokehbenchError for a kernel with an even side or an unknown padding.
    """
    if kernel.ndim != 2 or kernel.shape[0] % 2 == 0 or kernel.shape[1] % 2 == 0:
        raise BokehbenchError(f"A blur kernel needs two odd sides, but this one has {tuple(kernel.shape)}.")
    up, left = kernel.shape[0] // 2, kernel.shape[1] // 2

    def apply(maps: Tensor, form: str) -> Tensor:
        return convolve(maps, plan(kernel.to(maps), maps.shape[-2], maps.shape[-1], form))

    return _padded(image, up, left, padding, apply)


def disk_blur(image: Tensor, radius: float, padding: Padding = "zero") -> Tensor:
    """Blur with the hard lattice disk {d² <= radius²}/N: shapes, paddings and errors as in :func:`blur`.

    ``radius`` in px, >= 0; below 1 px this is the identity.
    """
    if not radius <= ROW_RUNS_UP_TO:
        return blur(image, disk(radius, dtype=torch.float64), padding)
    square = largest_square(radius)
    reach = math.isqrt(square)

    def apply(maps: Tensor, form: str) -> Tensor:
        if form == "full":
            return spread(maps, square)
        return gather(pad(maps, reach, reach, "zero") if form == "same" else maps, square)

    return _padded(image, reach, reach, padding, apply)


def _padded(image: Tensor, up: int, left: int, padding: Padding, apply: Blurring) -> Tensor:
    check_padding(padding)
    work = torch.float32 if image.dtype in (torch.float16, torch.bfloat16) else image.dtype
    maps = image.to(work).reshape(-1, *image.shape[-2:])
    if padding == "zero" or (up == 0 and left == 0):
        blurred = apply(maps, "same")
    elif padding == "full":
        blurred = apply(maps, "full")
    elif padding == "normalised":
        blurred = apply(maps, "same") / apply(torch.ones_like(maps[:1]), "same")
    else:
        blurred = apply(pad(maps, up, left, padding), "valid")
    return blurred.reshape(*image.shape[:-2], *blurred.shape[-2:]).to(image.dtype)
