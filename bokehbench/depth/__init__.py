"""Depth that is not the renderer's own: stored maps, networks of others."""

from bokehbench.depth.focus import focus_on_another_map
from bokehbench.depth.folder_depth import FolderDepth
from bokehbench.depth.provider import DepthProvider
from bokehbench.depth.transformers_depth import MapCache, TransformersDepth
from bokehbench.depth.write_maps import write_maps
from bokehbench.remote.mirror import local_folder

__all__ = [
    "DepthProvider", "FolderDepth", "MapCache", "TransformersDepth", "find", "focus_on_another_map",
    "write_maps",
]  # fmt: skip

#: What can stand before the colon.
KINDS = ("folder", "folder-depth", "transformers", "transformers-depth", "transformers-disparity")


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
        return FolderDepth(local_folder(what), depth=kind == "folder-depth")
    return TransformersDepth(what, kind.partition("-")[2] or None)
