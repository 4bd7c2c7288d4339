"""What the methods without training share."""

from typing import ClassVar

from bokehbench.errors import check_options, within
from bokehbench.models.base import BokehModel
from bokehbench.models.doors import LARGEST_SHARE


class Baseline(BokehModel):
    """A method without weights and stages: ``test``, ``predict`` and ``render`` work at once, ``fit`` refuses.

    Args:
        aperture_share: the aperture where none is given, as a share (0 to 0.5) of the photo's long side; the default
            is that of the synthetic scenes.
    """

    trainable: ClassVar[bool] = False

    def __init__(self, aperture_share: float = 0.025) -> None:
        super().__init__()
        check_options("--model.", within("aperture_share", aperture_share, 0, LARGEST_SHARE))
        self.aperture_share = aperture_share
