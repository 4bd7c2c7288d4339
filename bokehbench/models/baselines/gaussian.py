"""One Gaussian blur for all that is out of focus."""

import math

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from bokehbench.metrics.regions import in_focus_from_disparity
from bokehbench.models.base import Focus, PerPicture
from bokehbench.models.baselines.baseline import Baseline
from bokehbench.optics import per_image, to_linear, to_srgb

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
        tolerance: half width, in disparity, of what counts as in focus.
    """

    title = "Gaussian"
    paper = "none: a uniform blur outside the subject"
    architecture = (*Baseline.architecture, "tolerance")
    rendered_with = (*Baseline.rendered_with, "mask")
    needs_disparity = True

    def __init__(self, aperture_share: float = 0.025, tolerance: float = 0.1) -> None:
        super().__init__(aperture_share)
        self.tolerance = tolerance

    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: PerPicture = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """As :meth:`BokehModel.render`, with the subject as ``mask``, B 1 H W in [0, 1], 1 = subject.

        Raises:
            BokehbenchError: neither mask nor disparity.
        """
        if mask is None and disparity is None:
            raise self.no_disparity(" and no mask of what is in focus")
        away = image.new_full((len(image), 1, 1, 1), USUAL_DISTANCE)
        if disparity is not None:
            at = self.focus_disparity(disparity, focus, image.shape)
            away = (disparity - per_image(at, disparity)).abs()
            if mask is None:
                mask = in_focus_from_disparity(disparity, at, tolerance=self.tolerance)
        assert mask is not None
        rest = 1 - mask.to(image)
        weight = rest.expand_as(away) if away.shape == rest.shape else torch.ones_like(away)
        mean = (away * weight).flatten(1).sum(1) / weight.flatten(1).sum(1).clamp_min(1e-6)
        sigmas = (self.aperture_of(image, aperture) * mean / 2).tolist()
        light = to_linear(image)
        pieces = [_blur_outside(*piece) for piece in zip(light.split(1), rest.split(1), sigmas, strict=True)]
        return to_srgb(torch.cat(pieces))


def _blur_outside(light: Tensor, rest: Tensor, sigma: float) -> Tensor:
    """Blur where ``rest`` (1 1 H W) is 1 with light from there alone: the subject must not glow into it."""
    if sigma < 0.1:  # the kernel is a point
        return light
    side = 2 * min(math.ceil(REACH * sigma), min(light.shape[-2:]) - 1) + 1
    stack = gaussian_blur2d(torch.cat([light * rest, rest], 1), (side, side), (sigma, sigma), border_type="reflect")
    blurred = stack[:, :3] / stack[:, 3:].clamp_min(1e-6)
    return light * (1 - rest) + blurred * rest
