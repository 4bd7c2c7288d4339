"""What a method puts into a file that runs without bokehbench."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from bokehbench.models.uses import Uses


class Exported(nn.Module):
    """From a photo to a rendering, one picture at a time.

    Args:
        blur: of these arguments, as every method's ``blur``, whose operations depend on no value and no size.
        parts: the networks that it runs.
        uses: of the method: which inputs there are (``inputs``, in their order).
        largest_aperture: in pixels of the photo; larger ones are rendered as this one.
        strays: share of the output's values that may differ between runtimes: of methods that round their input.
        fixed: what else was chosen when the file was made, in words, for its metadata.
    """

    def __init__(
        self, blur: Callable[..., Tensor], parts: Iterable[nn.Module], uses: Uses, largest_aperture: float,
        strays: float = 0.0, **fixed: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.blur, self.parts, self.strays = blur, nn.ModuleList(parts), strays
        self.largest_aperture = float(largest_aperture)
        obeyed = {"disparity": uses.disparity != "ignored", "focus": uses.focus, "aperture": uses.aperture}
        self.inputs = ("image", *(name for name, taken in obeyed.items() if taken))
        self.fixed = {"largest_aperture": f"{largest_aperture:g}", **fixed} if uses.aperture else fixed

    def forward(
        self, image: Tensor, disparity: Tensor | None = None, focus: Tensor | None = None,
        aperture: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """As :meth:`bokehbench.models.renders.Renders.blur`, with B = 1."""
        within = None if aperture is None else aperture.clamp(0.0, self.largest_aperture)
        return self.blur(image, disparity, focus, within).clamp(0.0, 1.0)
