"""The input itself."""

from torch import Tensor

from bokehbench.models.base import Focus, PerPicture
from bokehbench.models.baselines.baseline import Baseline


class Identity(Baseline):
    """The photo as it is: the score that every method has to beat."""

    title = "Identity"
    paper = "none: the photo handed back"

    def render(
        self, image: Tensor, *, disparity: Tensor | None = None, focus: Focus = None, aperture: PerPicture = None
    ) -> Tensor:
        """A copy of ``image``."""
        return image.clamp(0, 1)

    def describe_rendering(self, image: Tensor, disparity: Tensor | None, focus: Focus, aperture: PerPicture) -> str:
        """Nothing was used."""
        return "unchanged"
