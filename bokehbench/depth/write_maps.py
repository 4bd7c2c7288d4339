"""Disparity maps for the photos of a folder, written where a data set reads them."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from bokehbench.cluster.in_order import in_order
from bokehbench.cluster.once import Once
from bokehbench.data.image_io import read_rgb
from bokehbench.data.maps import write_map
from bokehbench.depth.provider import DepthProvider
from bokehbench.errors import BokehbenchError


def write_maps(provider: Once[DepthProvider], places: Mapping[Path, Path], device: str) -> tuple[int, list[str]]:
    """Predict and write the maps that are not there yet, as PNG of 16 bits at the photo's size, bright = near.

    Args:
        provider: gives the maps; made once in each process that is engaged.
        places: photo -> its map; a map that is there stays as it is, so that a run that was stopped goes on.
        device: to predict on.

    Returns:
        How many were written, and a sentence for each photo that has none.
    """
    lacking = [(photo, place) for photo, place in places.items() if not place.is_file()]
    with suppress(OSError):  # which is said of the files
        for place in {place.parent for _, place in lacking}:
            place.mkdir(parents=True, exist_ok=True)  # here, since workers look for it
    write = partial(_write_map, provider=provider, device=device)
    problems = [sentence for sentence in in_order(write, lacking, "depth maps") if sentence]
    return len(lacking) - len(problems), problems


def _write_map(photo_and_place: tuple[Path, Path], provider: Once[DepthProvider], device: str) -> str:
    (photo, place), opened = photo_and_place, provider()
    try:
        found = opened.disparity(read_rgb(photo)[None].to(device), [photo.stem])
        write_map(place, found[0, 0])
    except BokehbenchError as error:
        return str(error) if str(photo) in str(error) else f"{photo}: {error}"
    return ""
