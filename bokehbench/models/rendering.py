"""What a method gives back, and what it keeps of a photo between two renderings."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rendering:
    """A picture with shallow depth of field, and what it was made with.

    Attributes:
        image: B 3 H W in [0, 1], gamma-encoded.
        disparity: B 1 H W in [0, 1], 1 = nearest: the map that was used, enlarged where a smaller one was; None: none.
        focus: B, the disparity in focus on the scale of that map; None: it could not be chosen.
        aperture: B, blur radius in pixels of the photo at a disparity difference of 1, as used; None: it could not be
            chosen, or the network's own was used.
        note: the same in words, of the first picture, and what else people should know.
    """

    image: Tensor
    disparity: Tensor | None = None
    focus: Tensor | None = None
    aperture: Tensor | None = None
    note: str = ""


@dataclass(frozen=True)
class Prepared:
    """What of a photo does not depend on focus and aperture, see :meth:`bokehbench.models.base.BokehModel.prepare`.

    Attributes:
        image: B 3 H W in [0, 1].
        disparity: B 1 H W in [0, 1], 1 = nearest, given or predicted; None: none.
        given: whether a disparity map was given, used or not.
        mask: B 1 H W in [0, 1], 1 = subject; None: not known.
        source: what the disparity is of, in words, such as a depth network's name; empty: ``given`` tells.
    """

    image: Tensor
    disparity: Tensor | None = None
    given: bool = False
    mask: Tensor | None = None
    source: str = ""


def in_words(source: str, focus: Tensor | None, aperture: Tensor | None, others: Iterable[str] = ()) -> str:
    """A note: where the disparity is from, focus and aperture of the first picture, and ``others`` that say something.

    Args:
        source: such as ``own disparity``.
        focus: B, disparity in focus.
        aperture: B, in pixels.
        others: phrases; empty ones are left out.
    """
    at = "" if focus is None else f"focus at disparity {float(focus[0]):.3f}"
    px = "" if aperture is None else f"aperture {float(aperture[0]):.1f} px"
    return ", ".join(part for part in (source, at, px, *others) if part)
