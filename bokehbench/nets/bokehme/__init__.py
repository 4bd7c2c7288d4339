"""BokehMe (Peng et al., CVPR 2022): a classical renderer and two networks that repair it."""

from bokehbench.nets.bokehme.bokeh_me_net import BokehMeNet, Fused
from bokehbench.nets.bokehme.passes import Passes

__all__ = ["BokehMeNet", "Fused", "Passes"]
