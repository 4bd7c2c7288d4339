"""One Gaussian blur for all that is out of focus."""

import math

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from bokehbench.errors import check_options, within
from bokehbench.metrics.regions import in_focus_from_disparity
from bokehbench.models.baselines.baseline import Baseline
from bokehbench.models.uses import Uses
from bokehbench.optics import per_image, to_linear, to_srgb
from bokehbench.optics.strips import rendered_in_strips

#: Disparity difference outside the subject where there is no disparity map to tell it.
USUAL_DISTANCE = 0.5
#: The kernel's half size in standard deviations.
REACH = 4.0


class Gaussian(Baseline):
    """Blur outside the subject alike, whatever its depth, as portrait apps with a mask alone do.

    The subject is the data set's mask, else what lies within ``tolerance`` of the focal plane. The standard deviation
    is half the mean radius outside of it: then the Gaussian spreads light as far as the disk of that radius does.

    Args:
        aperture_share: see :class:`Baseline`.
        tolerance: half width, in disparity, of what counts as in focus, 0 to 1.
    """

    title = "Gaussian"
    paper = "none: a uniform blur outside the subject"
    uses = Uses(mask=True)

    def __init__(self, aperture_share: float = 0.025, tolerance: float = 0.1) -> None:
        super().__init__(aperture_share)
        check_options("--model.", within("tolerance", tolerance, 0, 1))
        self.tolerance = tolerance

    def blur(
        self,
        image: Tensor,
        disparity: Tensor | None,
        focus: Tensor | None,
        aperture: Tensor,
        mask: Tensor | None = None,
    ) -> Tensor:
        """As :meth:`BokehModel.blur`, with the subject as ``mask``, B 1 H W in [0, 1], 1 = subject."""
        away = image.new_full((len(image), 1, 1, 1), USUAL_DISTANCE)
        if disparity is not None and focus is not None:
            away = (disparity - per_image(focus, disparity)).abs()
            if mask is None:
                mask = in_focus_from_disparity(disparity, focus, tolerance=self.tolerance)
        assert mask is not None
        rest = 1 - mask.to(image)
        weight = rest.expand_as(away) if away.shape == rest.shape else torch.ones_like(away)
        mean = (away * weight).flatten(1).sum(1) / weight.flatten(1).sum(1).clamp_min(1e-6)
        sigmas = (aperture * mean / 2).tolist()
        pieces = zip(image.split(1), rest.split(1), sigmas, strict=True)
        return torch.cat([_blur_outside(*piece) for piece in pieces])


def _blur_outside(image: Tensor, rest: Tensor, sigma: float) -> Tensor:
    """Blur where ``rest`` (1 1 H W) is 1 with light from there alone: the subject must not glow into it."""
    if sigma < 0.1:  # the kernel is a point
        return image.clamp(0, 1)
    side = 2 * min(math.ceil(REACH * sigma), min(image.shape[-2:]) - 1) + 1

    def rows(image: Tensor, rest: Tensor) -> Tensor:
        light = to_linear(image)
        stack = gaussian_blur2d(torch.cat([light * rest, rest], 1), (side, side), (sigma, sigma), border_type="reflect")
        blurred = stack[:, :3] / stack[:, 3:].clamp_min(1e-6)
        return to_srgb(light * (1 - rest) + blurred * rest)

    return rendered_in_strips(rows, (image, rest), side // 2)
