"""Every pixel spread over its own circle of confusion."""

from __future__ import annotations

from torch import Tensor

from bokehbench.models.base import Focus, Strength
from bokehbench.models.baselines.baseline import Baseline, encoded
from bokehbench.optics import scatter, signed_defocus, to_linear


class Scatter(Baseline):
    """BokehMe's classical renderer (:func:`bokehbench.optics.scatter`) in linear light, with the disparity given."""

    title = "Scatter"
    paper = "the classical renderer of Peng et al., BokehMe, CVPR 2022, arXiv 2206.12614"

    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: Strength = None,
    ) -> Tensor:
        """As :meth:`BokehModel.render`; raises BokehbenchError without a disparity."""
        disparity = self.need_disparity(disparity)
        at = self.focus_disparity(disparity, focus, image.shape[-2], image.shape[-1])
        defocus = signed_defocus(disparity, at, self.radius(aperture, image))
        return encoded(scatter(to_linear(image), defocus))
