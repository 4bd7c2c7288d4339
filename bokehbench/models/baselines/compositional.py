"""Blurred with fixed disks, blended per pixel."""

from __future__ import annotations

from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.base import Focus, Strength
from bokehbench.models.baselines.baseline import Baseline, encoded
from bokehbench.optics import compositional, to_linear


class Compositional(Baseline):
    """The compositional renderer (:func:`bokehbench.optics.compositional`) in linear light, with the disparity given.

    Args:
        blur_share: see :class:`Baseline`.
        step: pixels between the radii of the disks.

    Raises:
        BokehbenchError: a step of 0 or less.
    """

    title = "Compositional"
    paper = "the renderer of Srinivasan et al., CVPR 2018, arXiv 1711.07933, with the disparity map's own radii"

    def __init__(self, blur_share: float = 0.025, step: float = 1.0) -> None:
        super().__init__(blur_share)
        if not step > 0:
            raise BokehbenchError(f"--model.step {step:g}: give more than 0.")
        self.save_hyperparameters()
        self.step = step

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
        return encoded(compositional(to_linear(image), disparity, at, self.radius(aperture, image), step=self.step))
