"""What a method obeys of what a user can choose."""

from dataclasses import dataclass
from typing import Literal

#: ``needed``: refused without a map. ``own``: predicted, and a given map takes its place. ``optional``: does without
#: one, but then cannot look up a focus point. ``ignored``: the same picture for any map.
MapUse = Literal["needed", "own", "optional", "ignored"]


@dataclass(frozen=True)
class Uses:
    """Declared by every method (:attr:`bokehbench.models.base.BokehModel.uses`); tested for all of them.

    Attributes:
        focus: another focus is another picture.
        aperture: another aperture is another picture.
        disparity: what becomes of a disparity map.
        mask: a mask of the subject is looked at, and does where there is no map.
        preview: :meth:`~bokehbench.models.base.BokehModel.refocus` has a quick preview; of other methods a smaller copy
            of the photo is rendered while people try things out.
        note: one or two sentences to show, where something of the above may surprise them.
    """

    focus: bool = True
    aperture: bool = True
    disparity: MapUse = "needed"
    mask: bool = False
    preview: bool = False
    note: str = ""
