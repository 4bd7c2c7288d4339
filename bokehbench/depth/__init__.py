"""Depth that is not the renderer's own: stored maps, networks of others."""

from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from bokehbench.depth.focus import focus_on_another_map
from bokehbench.depth.folder_depth import FolderDepth
from bokehbench.depth.transformers_depth import MapCache, TransformersDepth

__all__ = [
    "DepthProvider", "FolderDepth", "MapCache", "TransformersDepth", "find", "focus_on_another_map",
]  # fmt: skip

#: What can stand before the colon.
KINDS = ("folder", "folder-depth", "transformers", "transformers-depth", "transformers-disparity")


class DepthProvider(Protocol):
    """Depth of pictures, from wherever."""

    #: What it is, for results: no path of this machine, and another name for other maps.
    name: str
    #: The network behind it, for device, parameters and weights' hash; None = stored maps.
    module: nn.Module | None
    #: Whether maps come from disk when a picture is seen again: time spent on them says nothing.
    stored: bool

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """Depth of B pictures.

        Args:
            image: B 3 H W in [0, 1].
            names: B file stems, for providers that look maps up; None: not known.

        Returns:
            B 1 H W in [0, 1], 1 = nearest, min-max normalised per picture, on the device of ``image``.

        Raises:
            BokehbenchError: there is no depth for a picture; names it.
        """
        ...


def find(spec: str) -> DepthProvider | None:
    """The provider of ``KIND:WHAT``; None where the kind is none of :data:`KINDS`.

    ``folder:PATH`` (bright = near), ``folder-depth:PATH`` (bright = far), ``transformers:ID[@REVISION]`` or
    ``transformers:FOLDER``; ``transformers-depth:`` and ``transformers-disparity:`` say what the network's output is.
    Errors are the providers' own.
    """
    kind, _, what = spec.partition(":")
    if kind not in KINDS or not what:
        return None
    if kind.startswith("folder"):
        return FolderDepth(Path(what).expanduser(), depth=kind == "folder-depth")
    return TransformersDepth(what, kind.partition("-")[2] or None)
