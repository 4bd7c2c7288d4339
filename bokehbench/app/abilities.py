"""What a method lets people choose: the page shows nothing that would be ignored."""

from dataclasses import dataclass, replace
from typing import Literal

from bokehbench.models.aperture import Aperture
from bokehbench.models.base import BokehModel
from bokehbench.models.baselines.identity import Identity
from bokehbench.models.combination import Combination
from bokehbench.models.d2f import D2F
from bokehbench.models.deeplens import DeepLens
from bokehbench.models.pix2pix import Pix2Pix
from bokehbench.models.pynet import PyNET

#: ``own``: predicted, and a given map takes its place; ``optional``: does without one, but then cannot look up a point.
MapUse = Literal["needed", "own", "optional", "ignored"]


@dataclass(frozen=True)
class Abilities:
    """Controls that a method obeys: a click (``focus``), the slider (``aperture``), a disparity map; and why not.

    ``cached`` methods keep what focus and aperture do not change (:meth:`DeepLens.prepare`).
    """

    focus: bool = True
    aperture: bool = True
    disparity: MapUse = "needed"
    cached: bool = False
    note: str = ""


def abilities(model: BokehModel) -> Abilities:
    """The controls that ``model`` obeys; a method that is not listed reads all three and needs a disparity map."""
    match model:
        case Combination():
            found = abilities(model.renderer)
            return found if model.source == "given" else replace(found, disparity="own")
        case DeepLens():
            return Abilities(disparity="own", cached=True)
        case Aperture():
            return Abilities(disparity="own")
        case D2F():
            note = "D2F decides alone what is in focus: a click changes nothing. It obeys the aperture."
            return Abilities(focus=False, disparity="ignored", note=note)
        case PyNET():
            note = "PyNET has the look of its training pairs: neither focus nor aperture can be chosen."
            return Abilities(False, False, "needed" if model.depth_input else "ignored", note=note)
        case Pix2Pix():
            if model.disparity_input:
                return Abilities()
            note = "This pix2pix has no depth: give a disparity map to choose the focus by a click."
            return Abilities(disparity="optional", note=note)
        case Identity():
            return Abilities(False, False, "ignored", note="Identity returns the photo as it is.")
        case _:
            return Abilities()
