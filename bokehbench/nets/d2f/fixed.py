"""D2F for a file: every layer is computed, in fp64, and the aperture is an input."""

import torch
from torch import Tensor, nn

from bokehbench.nets.d2f.d2f_net import D2FNet, halved, shrinking
from bokehbench.nets.d2f.renderer import KernelSet, defocus_of
from bokehbench.optics import fixed, per_image


class FixedD2F(nn.Module):
    """:class:`.D2FNet` without questions to values; sizes may be symbols.

    Args:
        net: the network.
        kernel_set: that of its renderer.
    """

    def __init__(self, net: D2FNet, kernel_set: KernelSet) -> None:
        super().__init__()
        self.net, self.kernel_set = net, kernel_set

    def blur(self, image: Tensor, disparity: None, focus: None, aperture: Tensor) -> Tensor:
        """B 3 H W of one picture; ``aperture`` 1, blur radius in pixels of it where the defocus is 1."""
        half, net, renderer = halved(image), self.net, self.net.renderer
        scale = defocus_of(aperture / shrinking(image), self.kernel_set)
        learned = net.defocus(half)
        defocus = (learned * per_image(scale, learned)).clamp(0.0, renderer.top)
        coarse = fixed.weighted_layers(
            half, defocus, net.radiance(half), radii=renderer.radii, sharpness=renderer.sharpness,
            kernel=renderer.disk_edge,
        )  # fmt: skip
        return net.finish(image, defocus, coarse)["bokeh"]
