"""D2F, "Defocus to Focus" (Luo et al., Information Fusion 89, 2023): its four parts and the whole network."""

from bokehbench.nets.d2f.d2f_net import D2FNet, D2FOutput

__all__ = ["D2FNet", "D2FOutput"]
