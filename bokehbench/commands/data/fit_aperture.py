"""Find the aperture under which the reference renderer explains the training targets best."""

from typing import Any

from jsonargparse.typing import PositiveFloat

from bokehbench.commands.data import COUNT
from bokehbench.data.base import BokehDataModule
from bokehbench.data.rendering import Renderer
from bokehbench.errors import BokehbenchError


def add_options(parser: Any) -> None:
    """Which pairs, at which size, under which renderer."""
    parser.add_argument("--height", type=COUNT, default=512, help="pictures are reduced to this height")
    parser.add_argument("--count", type=COUNT, default=50, help="number of training pairs")
    parser.add_argument("--f-number", type=PositiveFloat, help="of the targets, where the data set does not say")
    parser.add_argument("--renderer", type=Renderer, default="layered", help="layered, scatter or raytraced")


def run(data: BokehDataModule, options: Any) -> None:
    """Print the error of each aperture that was tried."""
    from bokehbench.data.fit_aperture import fit_aperture

    pictures = data.pictures("train")
    if pictures is None:
        raise BokehbenchError(f"{type(data).__name__} has no training pictures.")
    fit = fit_aperture(pictures, options.height, options.count, renderer=options.renderer, f_number=options.f_number)
    at = "" if fit.f_number is None else f" at f/{fit.f_number:g}"
    print(f"aperture{at} (px in a picture 1024 high)   mean squared error")
    for aperture, error in fit.tried:
        print(f"{aperture:36.2f}   {error:.6f}{'  <- best' if aperture == fit.aperture_at_1024 else ''}")
    if fit.aperture_at_f1 is not None:
        print(f"Render photos with --f-number N --aperture-at-f1 {fit.aperture_at_f1:.1f}")
    print(f"Use it{at} with --data.aperture_at_1024 {fit.aperture_at_1024:.1f}")
