"""Disparity maps for the photos of a folder, written where a data set reads them."""

from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from bokehbench.data.image_io import read_rgb
from bokehbench.data.maps import write_map
from bokehbench.depth.provider import DepthProvider
from bokehbench.errors import BokehbenchError


def write_maps(provider: DepthProvider, places: Mapping[Path, Path], device: str) -> tuple[int, list[str]]:
    """Predict and write the maps that are not there yet, as PNG of 16 bits at the photo's size, bright = near.

    Args:
        provider: gives the maps.
        places: photo -> its map; a map that is there stays as it is, so that a run that was stopped goes on.
        device: to predict on.

    Returns:
        How many were written, and a sentence for each photo that has none.
    """
    lacking = [(photo, place) for photo, place in places.items() if not place.is_file()]
    problems = []
    for photo, place in tqdm(lacking, desc="depth maps"):
        try:
            found = provider.disparity(read_rgb(photo)[None].to(device), [photo.stem])
            write_map(place, found[0, 0])
        except BokehbenchError as error:
            problems.append(str(error) if str(photo) in str(error) else f"{photo}: {error}")
    return len(lacking) - len(problems), problems
