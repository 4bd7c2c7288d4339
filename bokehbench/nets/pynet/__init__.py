"""PyNET for bokeh: the network without its training."""

from bokehbench.nets.pynet.pictures import crop, pad
from bokehbench.nets.pynet.pynet_net import LEVELS, PyNETNet

__all__ = ["LEVELS", "PyNETNet", "crop", "pad"]
