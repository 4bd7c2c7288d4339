"""Targets made by the reference renderers, for data sets that have depth but no bokeh."""

from typing import Literal

from torch import Tensor

from bokehbench.optics.circle_of_confusion import signed_defocus
from bokehbench.optics.layered import layered
from bokehbench.optics.linear_light import to_linear, to_srgb
from bokehbench.optics.scatter import scatter

Renderer = Literal["layered", "scatter"]


def render_reference(
    image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor, renderer: Renderer = "layered"
) -> Tensor:
    """Bokeh of one picture: ``image`` 3 H W and ``disparity`` 1 H W in [0, 1], 0-dim ``focus`` and ``aperture``.

    Light is spread in linear light. Returns 3 H W in [0, 1].
    """
    linear, disparity = to_linear(image[None]), disparity[None]
    if renderer == "layered":
        spread = layered(linear, disparity, focus[None], aperture[None])
    else:
        spread = scatter(linear, signed_defocus(disparity, focus[None], aperture[None]))
    return to_srgb(spread)[0]
