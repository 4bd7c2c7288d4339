"""Find the aperture under which the reference renderer explains the training targets best."""

from typing import Any

from bokehbench.commands.options import COUNT
from bokehbench.data.base import BokehDataModule
from bokehbench.data.rendering import Renderer
from bokehbench.errors import BokehbenchError


def add_options(parser: Any) -> None:
    """Which pairs, at which size, under which renderer."""
    parser.add_argument("--height", type=COUNT, default=512, help="pictures are reduced to this height")
    parser.add_argument("--count", type=COUNT, default=50, help="number of training pairs")
    parser.add_argument("--renderer", type=Renderer, default="layered", help="layered, scatter or raytraced")


def run(data: BokehDataModule, options: Any) -> None:
    """Print the error of each aperture that was tried."""
    from bokehbench.data.fit_aperture import fit_aperture

    pictures = data.pictures("train")
    if pictures is None:
        raise BokehbenchError(f"{type(data).__name__} has no training pictures.")
    fit = fit_aperture(pictures, options.height, options.count, renderer=options.renderer)
    print("aperture (px in a picture 1024 high)   mean squared error")
    for aperture, error in fit.tried:
        print(f"{aperture:36.2f}   {error:.6f}{'  <- best' if aperture == fit.aperture_at_1024 else ''}")
    print(f"Use it with --data.aperture_at_1024 {fit.aperture_at_1024:.1f}")
