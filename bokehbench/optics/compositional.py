"""Compositional renderer: blurred with fixed disks, blended per pixel (Srinivasan et al., CVPR 2018, arXiv 1711.07933).

Theirs: the picture is blurred as a whole with a fixed set of disks, one per discrete disparity relative to the focal
plane, and every pixel blends the results with the probabilities that a network gives these disparities. There is no
occlusion: blurred light of what is in focus bleeds into its surroundings, and borders out of focus stay hard.
DeepLens' use (Wang et al. 2018, Sec. 5.2, baseline "Aperture"): the same behind a network that predicts one disparity.
How it blended then is not published. Ours: weights that interpolate linearly between the two nearest disks, and disks
at fixed radii in pixels in place of fixed disparities, since the lattice disk jumps where its radius does not stay put.
"""

import math

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.optics.blur import disk_blur
from bokehbench.optics.circle_of_confusion import check_map, circle_of_confusion
from bokehbench.optics.padding import Padding
from bokehbench.optics.strips import rendered_in_strips


def compositional(
    image: Tensor,
    disparity: Tensor,
    focus: float | Tensor,
    aperture: float | Tensor,
    *,
    step: float = 1.0,
    padding: Padding = "replicate",
) -> Tensor:
    """S = sum_i w_i (K_i * I): K_i the disk of i · step pixels, w_i = max(0, 1 - |r / step - i|), sum_i w_i = 1.

    r = aperture · |disparity - focus| is the pixel's own radius, so that the disks stand for the disparities
    focus ± i · step / aperture, on either side of the focal plane alike.

    ``image`` B 3 H W (any channels), any H and W: blurred as given, convert to linear light before; ``disparity``
    B 1 H W; ``focus`` and ``aperture`` (px at a disparity difference of 1): numbers or tensors of shape B; ``step`` the
    spacing in px of the disks; ``padding`` see :data:`Padding`, all but "full". Returns B 3 H W. Differentiable with
    respect to image and disparity, focus and aperture too; the slope with the radius is the difference of the two
    neighbouring pictures, so a picture without texture teaches nothing about disparity. Raises BokehbenchError for a
    step <= 0, an infinite radius, "full", or a map that does not fit.
    """
    if not step > 0:
        raise BokehbenchError(f"The compositional renderer needs a step > 0 px between its disks, not {step}.")
    if padding == "full":
        raise BokehbenchError("The compositional renderer keeps the picture's size: use another padding than 'full'.")
    check_map(disparity, image)

    def rows(image: Tensor, disparity: Tensor) -> Tensor:
        return _compositional(image, disparity, focus, aperture, step, padding)

    reach = float(circle_of_confusion(disparity.detach(), focus, aperture).detach().max()) + step
    return rendered_in_strips(rows, (image, disparity), reach, (focus, aperture))


def _compositional(
    image: Tensor, disparity: Tensor, focus: float | Tensor, aperture: float | Tensor, step: float, padding: Padding
) -> Tensor:
    """The whole of a small picture; arguments of :func:`compositional`."""
    work = torch.float64 if image.dtype == torch.float64 else torch.float32
    with torch.autocast(image.device.type, enabled=False):
        light = image.to(work)
        place = circle_of_confusion(disparity.to(work), focus, aperture) / step
        largest = float(place.detach().max())
        if not math.isfinite(largest):
            raise BokehbenchError("A blur radius is not a finite number: check disparity, focus and aperture.")
        result = torch.zeros_like(light)
        for index in range(math.ceil(largest) + 1):
            weight = (1 - (place - index).abs()).clamp(min=0)
            if bool(weight.any()):
                result = result + weight * disk_blur(light, index * step, padding)
    return result.to(image.dtype)
