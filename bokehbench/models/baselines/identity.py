"""The input itself."""

from torch import Tensor

from bokehbench.models.baselines.baseline import Baseline
from bokehbench.models.rendering import Prepared
from bokehbench.models.uses import Uses


class Identity(Baseline):
    """The photo as it is: the score that every method has to beat."""

    title = "Identity"
    paper = "none: the photo handed back"
    uses = Uses(False, False, "ignored", note="Identity returns the photo as it is.")

    def blur(self, image: Tensor, disparity: None, focus: None, aperture: None) -> Tensor:
        """A copy of ``image``."""
        return image.clamp(0, 1)

    def source_of(self, prepared: Prepared) -> str:
        """Nothing was used."""
        return "not blurred"
