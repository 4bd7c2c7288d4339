"""Depth from files: maps that somebody else's network made before."""

import hashlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from bokehbench.data.decoding import MAP_SUFFIXES
from bokehbench.data.folders import list_pictures, normal
from bokehbench.data.maps import read_values
from bokehbench.errors import BokehbenchError
from bokehbench.optics import depth_to_disparity, minmax


class FolderDepth:
    """Maps of a folder, found by the pictures' file stems.

    8- and 16-bit greyscale pictures, float TIFF and PFM, and ``.npy`` arrays of height x width, of any size and range.

    Args:
        folder: holds the maps; not searched deeper.
        depth: larger = farther (0 and infinite = not measured); else larger = nearer.

    Raises:
        BokehbenchError: no folder, no maps in it, or two for one picture.
    """

    module: nn.Module | None = None
    stored: bool = True

    def __init__(self, folder: Path, depth: bool = False) -> None:
        if not folder.is_dir():
            raise BokehbenchError(f"There is no folder of depth maps {folder}: check the path after 'folder:'.")
        self.folder, self.depth = folder, depth
        listing = list_pictures(folder, MAP_SUFFIXES)
        if listing.problems:
            raise BokehbenchError(f"{folder} has two maps for one picture. {listing.problems[0]}")
        self.files = dict(sorted(listing.files.items(), key=lambda each: each[1]))
        if not self.files:
            raise BokehbenchError(f"{folder} holds no depth maps ({', '.join(MAP_SUFFIXES)}).")
        total = hashlib.sha256()  # of all maps and their names: other maps are another result
        for stem, path in tqdm(self.files.items(), desc="depth maps", disable=len(self.files) < 1000, leave=False):
            total.update(f"{stem} {path.stat().st_size}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
        self.name = f"folder {folder.resolve().name} #{total.hexdigest()[:8]}{', as depth' if depth else ''}"

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """As :meth:`DepthProvider.disparity`; maps of another size are resized bilinearly.

        Raises:
            BokehbenchError: pictures without names, no map of a name, or a map that cannot be used.
        """
        if names is None:
            raise BokehbenchError(f"{self.name} looks maps up by file name, and these pictures have none.")
        return torch.cat([self._map(name, (image.shape[-2], image.shape[-1])) for name in names]).to(image.device)

    def _map(self, name: str, size: tuple[int, int]) -> Tensor:
        path = self.files.get(normal(name))
        if path is None:
            raise BokehbenchError(f"{self.folder} has no depth map named {name} ({', '.join(MAP_SUFFIXES)}).")
        values = read_values(path, size)[None]
        if bool(values.isnan().any()) or not (self.depth or bool(values.isfinite().all())):
            raise BokehbenchError(f"{path}: has NaN or infinite values: fill them, or make the map again.")
        if self.depth:
            if not bool((values.isfinite() & (values > 0)).any()):
                raise BokehbenchError(f"{path}: no depth in it is above 0: is it a depth map?")
            values = depth_to_disparity(values)  # before resizing: what was not measured must not be averaged in
        shrinks = values.shape[-2] > size[0] or values.shape[-1] > size[1]
        return minmax(F.interpolate(values, size, mode="bilinear", align_corners=False, antialias=shrinks))
