"""Targets made by the reference renderers, for data sets that have depth but no bokeh."""

import math
from collections.abc import Callable
from typing import Literal

from torch import Tensor

from bokehbench.data.augment import Window
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.optics.circle_of_confusion import signed_defocus
from bokehbench.optics.layered import layered
from bokehbench.optics.linear_light import to_linear, to_srgb
from bokehbench.optics.ray_traced import ray_traced
from bokehbench.optics.scatter import scatter

Renderer = Literal["raytraced", "layered", "scatter"]
#: Light, disparity, focus, aperture -> light, B 3 H W.
Spread = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
#: Those that know no window: a part of the photo is made from that part and a margin.
SPREADS: dict[str, Spread] = {
    "layered": layered,
    "scatter": lambda light, disparity, focus, aperture: scatter(light, signed_defocus(disparity, focus, aperture)),
}
RENDERERS = ("raytraced", *SPREADS)


def render_reference(
    image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor, renderer: Renderer, window: Window | None = None
) -> Tensor:
    """Bokeh of one picture: ``image`` 3 H W and ``disparity`` 1 H W in [0, 1], 0-dim ``focus`` and ``aperture``.

    Light is spread in linear light. Returns 3 H W in [0, 1]; or the part in ``window``, which costs as much as it is
    large, and is the same as in the whole picture to rounding (1e-6 ray traced, 1e-4 else). Raises BokehbenchError for
    an unknown renderer.
    """
    height, width = image.shape[-2:]
    window = window or Window(0, 0, height, width)
    if renderer == "raytraced":
        light = ray_traced(to_linear(image[None]), disparity[None], focus[None], aperture[None], window=window)
        return to_srgb(light)[0]
    if renderer not in SPREADS:
        raise BokehbenchError(f"Unknown renderer '{renderer}': {nearest(renderer, RENDERERS)}.")
    outer = window.grown(math.ceil(float(aperture)) + 1, height, width)
    light = to_linear(outer.of(image)[None])
    spread = SPREADS[renderer](light, outer.of(disparity)[None], focus[None], aperture[None])
    return window.within(outer).of(to_srgb(spread))[0]
