"""Where a picture is in focus and how wide the aperture was, for data sets that do not say.

Ours, no paper's: EBB! and other photographed pairs come without optics. The subject is what the photographer focused
on, so the focus is the median disparity of its mask, or of the picture's central third where there is no mask; the
aperture is one constant per data set, in pixels of a picture 1024 high, scaled with the picture's height.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from bokehbench.errors import check_options
from bokehbench.optics.thin_lens import aperture_at

#: Pixels: options that end with "_at_1024" are for pictures of this height.
REFERENCE_HEIGHT = 1024


def estimate_focus(disparity: Tensor, mask: Tensor | None = None) -> Tensor:
    """Median of ``disparity`` (1 H W) where ``mask`` (1 H W) > 1/2, else over the central third; 0-dim.

    A map of more than 2^16 pixels is subsampled regularly first.
    """
    height, width = disparity.shape[-2:]
    step = max(1, int((height * width / 2**16) ** 0.5))
    if mask is not None:
        inside = disparity[..., ::step, ::step][mask[..., ::step, ::step] > 0.5]
        if inside.numel():
            return inside.median()
    central = disparity[..., height // 3 : -(height // 3) or None, width // 3 : -(width // 3) or None]
    return central[..., ::step, ::step].median()


@dataclass(frozen=True)
class FocusRule:
    """Focus and aperture of pictures that come without; None = estimate the focus, leave the aperture out.

    ``focus``: a disparity in [0, 1]. ``aperture_at_1024``: blur radius in pixels of a picture 1024 high at a disparity
    difference of 1, at the f-number ``at`` where pictures have f-numbers. :class:`BokehbenchError` where one is out of
    range.
    """

    focus: float | None = None
    aperture_at_1024: float | None = None
    at: float | None = None

    def __post_init__(self) -> None:
        focus, aperture = self.focus, self.aperture_at_1024
        check_options(
            "--data.",
            ("focus", focus, focus is None or 0 <= focus <= 1, "a disparity in [0, 1]"),
            ("aperture_at_1024", aperture, aperture is None or 0 <= aperture <= 512, "a radius of 0 to 512 pixels"),
        )

    def focus_of(self, disparity: Tensor | None, mask: Tensor | None) -> Tensor:
        """The set focus, or the estimate from a 1 H W disparity (needed then) and mask; 0-dim."""
        if self.focus is not None:
            return torch.tensor(self.focus)
        assert disparity is not None, "nothing to estimate the focus from"
        return estimate_focus(disparity, mask)

    def aperture_of(self, height: int, f_number: float | None = None) -> Tensor | None:
        """The aperture in pixels of a picture ``height`` high, at ``f_number`` where it has one; 0-dim."""
        if self.aperture_at_1024 is None:
            return None
        aperture = self.aperture_at_1024 * height / REFERENCE_HEIGHT
        if self.at is not None and f_number is not None:
            aperture = aperture_at(f_number, aperture, self.at)
        return torch.tensor(aperture)
