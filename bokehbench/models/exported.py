"""What a method puts into a file that runs without bokehbench."""

from typing import Any, Protocol

from torch import Tensor, nn

from bokehbench.models.uses import Uses


class Blurs(Protocol):
    """A module with ``blur`` as every method has it, as operations whose number depends on no value and no size."""

    def blur(self, image: Tensor, disparity: Any, focus: Any, aperture: Any) -> Tensor:
        """See :meth:`bokehbench.models.renders.Renders.blur`; one picture."""
        ...


class Exported(nn.Module):
    """From a photo to a rendering: what is written to a file.

    Args:
        renderer: a module with ``blur``, see :class:`Blurs`.
        uses: of the method: which inputs there are (:attr:`inputs`).
        largest_aperture: in pixels of the photo; larger ones are rendered as this one.
        fixed: what else was chosen when the file was made, in words, for its metadata.
    """

    def __init__(self, renderer: Any, uses: Uses, largest_aperture: float, **fixed: str) -> None:
        super().__init__()
        self.renderer: Blurs = renderer
        self.largest_aperture = largest_aperture
        obeyed = {"disparity": uses.disparity != "ignored", "focus": uses.focus, "aperture": uses.aperture}
        #: Names of the inputs, in their order.
        self.inputs = ("image", *(name for name, taken in obeyed.items() if taken))
        self.fixed = {**({"largest_aperture": f"{largest_aperture:g}"} if uses.aperture else {}), **fixed}

    def forward(
        self,
        image: Tensor,
        disparity: Tensor | None = None,
        focus: Tensor | None = None,
        aperture: Tensor | None = None,
    ) -> Tensor:
        """One picture.

        Args:
            image: 1 3 H W in [0, 1], gamma-encoded.
            disparity: 1 1 H W in [0, 1], 1 = nearest.
            focus: 1, the disparity in focus.
            aperture: 1, blur radius in pixels of the photo at a disparity difference of 1.

        Returns:
            1 3 H W in [0, 1].
        """
        within = None if aperture is None else aperture.clamp(0.0, float(self.largest_aperture))
        return self.renderer.blur(image, disparity, focus, within).clamp(0.0, 1.0)
