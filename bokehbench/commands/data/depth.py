"""Write a disparity map for every photo that lacks one, where the data set reads it; status 1 if any failed."""

from typing import TYPE_CHECKING, Any

from bokehbench.cluster.once import Once
from bokehbench.commands.options import engaged_by, workers
from bokehbench.counted import counted
from bokehbench.data.base import BokehDataModule
from bokehbench.errors import BokehbenchError
from bokehbench.machine import usable_device
from bokehbench.photo_depth import NETWORK

if TYPE_CHECKING:
    from bokehbench.depth import DepthProvider


def add_options(parser: Any) -> None:
    """What predicts the maps, and where it runs."""
    parser.add_argument("--depth", type=str, default=f"transformers:{NETWORK}", help="what predicts the maps")
    parser.add_argument("--device", type=str, default="cpu", help="cpu, cuda, ...")
    workers(parser)


def run(data: BokehDataModule, options: Any) -> int:
    """Write them, and say where they are."""
    from bokehbench.depth import write_maps

    usable_device(options.device)
    places = data.map_places()
    if not places:
        raise BokehbenchError(f"{type(data).__name__} in {data.root} has no photos.")
    opened = Once["DepthProvider"](_provider, options.depth)
    provider = opened()
    with engaged_by(options):
        written, problems = write_maps(opened, places, options.device)
    folders = ", ".join(sorted({str(place.parent) for place in places.values()}))
    there = len(places) - written - len(problems)
    print(f"{counted(written, 'map')} of {provider.name} in {folders}, {there} that were there stay.")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _provider(spec: str) -> "DepthProvider":
    from bokehbench.models.depth_providers import open_provider

    provider = open_provider(spec, "--depth", ())
    assert provider is not None, "there are no words besides providers"
    return provider
