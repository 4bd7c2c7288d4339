"""Reference renderer: planes of disparity, blurred and composited from far to near (MPIB, Peng et al., ECCV 2022)."""

from typing import Literal, get_args

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.optics.aperture_kernels import disk, soft_disk
from bokehbench.optics.circle_of_confusion import circle_of_confusion, per_image
from bokehbench.optics.compositing import composite
from bokehbench.optics.padding import Padding
from bokehbench.optics.strips import rendered_in_strips

Kernel = Literal["hard", "soft"]
Alphas = Literal["one-hot", "tent"]


def layered(
    image: Tensor,
    disparity: Tensor,
    focus: float | Tensor,
    aperture: float | Tensor,
    *,
    layers: int = 32,
    kernel: Kernel = "hard",
    alphas: Alphas = "one-hot",
    margin: float = 0.0,
    gamma: float = 1.0,
    padding: Padding = "replicate",
) -> Tensor:
    """Cut the picture into ``layers`` planes of disparity, blur each with its radius, and let near cover far.

    r_i = aperture · max(|d_i - focus| - margin, 0) with d_i = (i + 1/2) / layers; from i = 0 (far) to near
    P <- P (1 - K_r * alpha_i) + K_r * (alpha_i I^gamma), T likewise; result (P / T)^(1 / gamma). MPIB's formula with
    alphas from the disparity map in place of a network's.

    ``image`` B 3 H W in [0, 1]; ``disparity`` B 1 H W in [0, 1], 1 = nearest; ``focus`` and ``aperture`` (px at a
    disparity difference of 1): numbers or tensors of shape B. ``kernel`` "hard" is the lattice disk at the fractional
    radius, "soft" MPIB's disk at the rounded one; ``alphas`` "tent" divides a pixel between its two nearest planes and
    passes gradients to the disparity, "one-hot" does not; ``margin`` widens the focal plane (MPIB: 0 or half a plane,
    0.5 / layers); ``gamma`` 1 blurs what it is given: convert to linear light before, or give 2.2 as MPIB does.
    Returns B 3 H W. Differentiable once with respect to the image. Raises BokehbenchError for unknown options.
    """
    for option, value, known in (("kernel", kernel, get_args(Kernel)), ("alphas", alphas, get_args(Alphas))):
        if value not in known:
            raise BokehbenchError(f"Unknown {option} '{value}': {nearest(value, known)}.")

    def rows(image: Tensor, disparity: Tensor) -> Tensor:
        return _layered(image, disparity, focus, aperture, layers, kernel, alphas, margin, gamma, padding)

    away = per_image(focus, disparity.detach()).detach()
    reach = per_image(aperture, away).detach() * torch.maximum(away, 1 - away)
    return rendered_in_strips(rows, (image, disparity), float(reach.max()) + 1)


def _layered(
    image: Tensor,
    disparity: Tensor,
    focus: float | Tensor,
    aperture: float | Tensor,
    layers: int,
    kernel: Kernel,
    alphas: Alphas,
    margin: float,
    gamma: float,
    padding: Padding,
) -> Tensor:
    """The whole of a small picture; arguments of :func:`layered`."""
    centres = (torch.arange(layers, dtype=disparity.dtype, device=disparity.device) + 0.5) / layers
    radii = circle_of_confusion(centres.reshape(1, 1, 1, -1).expand(len(image), 1, 1, -1), focus, 1.0) - margin
    planes = (radii.clamp(min=0) * per_image(aperture, disparity)).flatten(1).tolist()
    # Truth values take a fourth of the memory
    one_hot = alphas == "one-hot"
    masks = _nearest_plane(disparity, layers) if one_hot else plane_alphas(disparity, layers, alphas)
    light = image if gamma == 1 else image.clamp(min=0) ** gamma
    rendered = []
    for one, alpha, plane_radii in zip(light.split(1), masks.split(1), planes, strict=True):
        kernels = [disk(r) if kernel == "hard" else soft_disk(round(r)) for r in plane_radii]
        colour, covered = composite(one, alpha, kernels, padding)
        rendered.append(colour / covered)
    result = torch.cat(rendered).to(image.dtype)
    return result if gamma == 1 else result.clamp(min=0) ** (1 / gamma)


def plane_alphas(disparity: Tensor, layers: int, alphas: Alphas = "one-hot") -> Tensor:
    """Share of every pixel in each plane, from far to near: B N H W, sums to 1; ``disparity`` B 1 H W in [0, 1]."""
    if alphas == "one-hot":
        return _nearest_plane(disparity, layers).to(disparity.dtype)
    place = disparity.clamp(0, 1) * layers - 0.5
    index = torch.arange(layers, dtype=disparity.dtype, device=disparity.device).reshape(1, -1, 1, 1)
    return (1 - (place.clamp(0, layers - 1) - index).abs()).clamp(min=0)


def _nearest_plane(disparity: Tensor, layers: int) -> Tensor:
    """As :func:`plane_alphas`, one-hot: B N H W, bool."""
    place = disparity.clamp(0, 1) * layers - 0.5
    index = torch.arange(layers, dtype=disparity.dtype, device=disparity.device).reshape(1, -1, 1, 1)
    return place.clamp(-0.5, layers - 1).add(0.5).floor() == index
