"""Blurred with fixed disks, blended per pixel."""

from __future__ import annotations

from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.models.baselines.disparity_renderer import DisparityRenderer
from bokehbench.optics import compositional


class Compositional(DisparityRenderer):
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

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, radius: Tensor) -> Tensor:
        """See :meth:`DisparityRenderer.spread`."""
        return compositional(light, disparity, focus, radius, step=self.step)
