"""Depth of photos that come without a disparity map: chosen once, when the first of them is rendered."""

from __future__ import annotations

from textwrap import shorten

from torch import Tensor

from bokehbench.data import DATA
from bokehbench.depth import DepthProvider, TransformersDepth
from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.models.combination import Combination
from bokehbench.models.depth_providers import open_provider
from bokehbench.optics import Disparity
from bokehbench.provenance import Provenance
from bokehbench.registry import class_path

#: Depth Anything V2 Small (Yang et al. 2024): Apache-2.0, relative disparity.
NETWORK = "depth-anything/Depth-Anything-V2-Small-hf"
#: What ``--depth`` takes besides the providers.
NO_MAP, OWN = "none", "own"
#: The method that stands for another one with depth that is not its own.
OTHER_DEPTH = class_path(Combination)


class PhotoDepth:
    """Disparity maps of photos for one method.

    Args:
        model: the method that renders.
        spec: ``none`` (no map is made), ``own`` (the method's own depth network), or a provider as
            :class:`~bokehbench.models.combination.Combination` names them (``transformers:ID``, ``folder:PATH``,
            ``checkpoint:PATH``). None: for a method that takes a map its own depth network, if it was trained on
            photographs; else :data:`NETWORK`, fetched once; else its own, with a warning.

    Raises:
        BokehbenchError: an unknown provider, or ``own`` without a trained depth network.
    """

    def __init__(self, model: BokehModel, spec: str | None = None) -> None:
        self.model, self.spec = model, spec
        self.provider: DepthProvider | None = None
        #: Why :data:`NETWORK` cannot be had.
        self._failure = ""
        if spec == OWN and (why := self._lacks_own()):
            raise BokehbenchError(f"--depth own: {model.label} {why}: name another, or give a map.")
        if spec is not None:
            self.provider = open_provider(spec, "--depth", (NO_MAP, OWN))

    @property
    def makes_maps(self) -> bool:
        """Whether photos of this method get a map that was not given."""
        uses = self.model.uses.disparity
        if self.spec is None:
            return uses in ("needed", "own")
        return self.spec != NO_MAP and uses != "ignored"

    def __call__(self, image: Tensor, names: list[str] | None = None) -> tuple[Tensor | None, str]:
        """The map for a photo, and what it is of, in words.

        Args:
            image: B 3 H W in [0, 1].
            names: B file stems, where they are known.

        Returns:
            B 1 H W in [0, 1], 1 = nearest; None: the method is to take its own, or goes without.

        Raises:
            BokehbenchError: the method needs a map and there is none; names the ways out.
        """
        if not self.makes_maps:
            if self.spec == NO_MAP and self.model.uses.disparity == "own":
                raise self.model.no_disparity(" (--depth none)")
            return None, ""
        if self.spec is None and self.provider is None and not (self._failure or self._knows_photos()):
            self._open_network()
        if self.provider is not None:
            return self.provider.disparity(image, names), self.provider.name
        if self._failure and self._lacks_own():
            raise BokehbenchError(
                f"{self.model.label} needs a disparity map, and the depth network {NETWORK} could not be loaded "
                f"({self._failure}): give a map of the photo (--disparity), or connect to the network once, for 100 MB."
            )
        warning = f"its own network, trained on synthetic scenes alone ({NETWORK} could not be loaded: {self._failure})"
        return None, warning if self._failure else ""

    def measured(self, image: Tensor) -> Disparity | None:
        """The metric form of the map that a photo got, 1 3 H W in [0, 1]; None: it is relative."""
        return self.provider.measured(image) if isinstance(self.provider, TransformersDepth) else None

    def _open_network(self) -> None:
        """Open :data:`NETWORK`; a failure is kept, so that the photos of a folder do not all wait for it."""
        try:
            self.provider = TransformersDepth(NETWORK)
        except BokehbenchError as error:
            self._failure = shorten(str(error.__cause__ or error), 120, placeholder=" ...").rstrip(".: ")

    def _lacks_own(self) -> str:
        """Why the method's own depth network cannot be used; empty = it can."""
        if self.model.uses.disparity != "own":
            return "has no depth network of its own"
        return "has a depth network that was not trained" if self.model.depth_left_out else ""

    def _knows_photos(self) -> bool:
        """Whether the method's own depth network has learned from more than synthetic scenes."""
        if self._lacks_own():
            return False
        data = depth_data(self.model.provenance)
        return not any(kind.synthetic for kind in DATA.loaded().values() if kind.__name__ == data)


def depth_data(record: Provenance) -> str:
    """Class name of the data set that a depth network was trained on; empty where the record cannot tell."""
    if "depth" in record.stages:
        return str(record.data.get("class", ""))
    before = (depth_data(origin.provenance) for origin in record.origins if origin.role == "start")
    return next((name for name in before if name), "")
