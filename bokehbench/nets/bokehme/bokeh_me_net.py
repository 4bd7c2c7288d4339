"""BokehMe's pipeline: classical renderer, small neural rendering, upsampling, fusion (released code)."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.bokehme.passes import UNIT, Passes
from bokehbench.nets.bokehme.residual_net import ResidualNet, resized, resized_rows
from bokehbench.optics import dilated_defocus, scatter
from bokehbench.optics.strips import in_strips, rendered_in_strips, wants_strips

#: What the networks make is kept from 0 on; the released code's upper bound of 1e5 is never met.
MOST = 1e5
#: Radius (px) up to which all radii are computed: below it interpolation is not faster (benchmarks/scatter.py).
EXACT_UP_TO = 12.0


@dataclass(frozen=True)
class Fused:
    """What the pipeline makes: pictures B 3 H W, not clamped, and the error map B 1 H W in [0, 1]."""

    classical: Tensor
    neural: Tensor
    error: Tensor

    @property
    def image(self) -> Tensor:
        """The result, classical (1 - error) + neural error, B 3 H W in [0, 1]."""

        def rows(classical: Tensor, neural: Tensor, error: Tensor) -> Tensor:
            return (classical * (1 - error) + neural * error).clamp(0, 1)

        return rendered_in_strips(rows, (self.classical, self.neural, self.error), 0)


class BokehMeNet(nn.Module):
    """ARNet (``small``) renders a small copy and says where the classical picture is wrong; IUNet enlarges it.

    Args:
        width: channels of the first; the release has 128.
        upsampling_width: channels of the second; the release has 64.
        start: with random weights, or each network as a copy, of the picture and of the coarse one (ours).
    """

    def __init__(
        self, width: int = 128, upsampling_width: int = 64, start: Literal["random", "copy"] = "random"
    ) -> None:
        super().__init__()
        self.small = ResidualNet(width, guides=0, outputs=4)
        self.upsampling = ResidualNet(upsampling_width, guides=3, outputs=3)
        if start == "copy":
            self.small.start_as_copy(guided=False)
            self.upsampling.start_as_copy(guided=True)

    def forward(
        self, image: Tensor, defocus: Tensor, gamma: float, step: float | None = 0.25, refine: bool = True
    ) -> Fused:
        """One picture, or several that share the size of the small copy.

        Args:
            image: B 3 H W in [0, 1] (highlights may exceed 1).
            defocus: B 1 H W, signed radius in px, > 0 in front of the focal plane.
            gamma: of the light that is blurred, 1 to 5.
            step: of :func:`bokehbench.optics.scatter`, for radii above 12 px; None = exact.
            refine: whether the second network enlarges; False = by interpolation.
        """
        # The maps have no name here, so that they are gone when the classical picture is made
        dilated = (lambda: dilated_defocus(defocus).to(image) / UNIT) if refine else lambda: None
        ((neural, error),) = deque(self.upsampled(image, defocus / UNIT, gamma, dilated()), maxlen=1)
        classical = classically(image, defocus, gamma, step)
        return Fused(classical, neural, error)

    def upsampled(
        self, image: Tensor, units: Tensor, gamma: float, dilated: Tensor | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The neural picture after each pass, B 3 h w, and the error map at full size; the last is of full size.

        Args:
            image: B 3 H W.
            units: B 1 H W, signed defocus in units of 10 px.
            gamma: 1 to 5.
            dilated: the dilated defocus, B 1 H W in units of 10 px; None = enlarge by interpolation alone.
        """
        size = (image.shape[-2], image.shape[-1])
        plane = image.new_full((len(image),), (gamma - 1) / 4)
        passes = Passes.of(*size, float(units.abs().max()))
        neural, small_error = self.coarse(image, units, plane, passes)
        error = resized(small_error, size)
        if dilated is None:
            yield resized(neural, size), error
            return
        for scale, at in passes.upsamplings:
            here = self.enlarged(resized(image, at), resized(scale * units, at), neural, plane)
            neural = self.joined(mask(resized(scale * dilated, at)), here, neural)
            del here
            yield neural, error

    def joined(self, inside: Tensor, here: Tensor, coarse: Tensor) -> Tensor:
        """``here``, B 3 h w, where ``inside``, B 1 h w, is 1, and the ``coarse`` picture where it is 0."""
        size = (here.shape[-2], here.shape[-1])

        def rows(start: int, stop: int) -> Tensor:
            share, fine = inside[..., start:stop, :], here[..., start:stop, :].clamp(0, MOST)
            return share * fine + (1 - share) * resized_rows(coarse, size, start, stop)

        return in_strips(rows, size, 0) if wants_strips(self, size) else rows(0, size[0])

    def coarse(self, image: Tensor, units: Tensor, plane: Tensor, passes: Passes) -> tuple[Tensor, Tensor]:
        """What the pipeline begins with: the small picture, B 3 h w from 0 on, and its error map, B 1 h w in [0, 1]."""
        small = resized(image, passes.low), resized(units, passes.low) / passes.shrink
        picture, logit = self.rendered_small(*small, plane)
        return picture.clamp(0, MOST), logit.sigmoid()

    def rendered_small(self, image: Tensor, units: Tensor, plane: Tensor) -> tuple[Tensor, Tensor]:
        """Picture, B 3 h w, and logit of the error map, B 1 h w, where no radius exceeds 1 unit."""
        out = self.small(image, units, plane)
        return out[:, :3], out[:, 3:]

    def enlarged(self, image: Tensor, units: Tensor, coarse: Tensor, plane: Tensor) -> Tensor:
        """The second network's picture at the size of ``image``; valid where the radius is below 1 unit."""
        units = units.clamp(-1, 1)
        enlarged: Tensor = self.upsampling(image, units, plane, coarse)
        return enlarged


def classically(image: Tensor, defocus: Tensor, gamma: float, step: float | None) -> Tensor:
    """BokehMe's classical renderer: exact where that is as fast; arguments of :func:`bokehbench.optics.scatter`."""
    exact = step is None or float(defocus.abs().max()) <= EXACT_UP_TO
    return scatter(image, defocus, gamma=gamma, step=None if exact else step, leak=True)


def mask(dilated: Tensor) -> Tensor:
    """Where the second network acts, softened: radii below 1 unit of the dilated defocus, B 1 h w in [0, 1]."""
    height, width = dilated.shape[-2:]
    reach = max(round(0.005 * (height + width)), 0)
    return rendered_in_strips(lambda part: _softened((part > -1) & (part < 1), part, reach), (dilated,), reach)


def _softened(inside: Tensor, like: Tensor, reach: int) -> Tensor:
    """Blurred by a Gaussian of (2 reach + 1)² px, B 1 h w of the kind of ``like``."""
    inside = inside.to(like)
    if reach == 0:
        return inside
    sigma = 0.3 * (reach - 1) + 0.8
    line = torch.exp(-torch.arange(-reach, reach + 1, device=like.device).to(like).square() / (2 * sigma**2))
    line = line / line.sum()
    padded = F.pad(inside, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, line.view(1, 1, -1, 1)), line.view(1, 1, 1, -1))
