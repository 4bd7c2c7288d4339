"""DeepLens' networks (arXiv 1810.08100)."""

from bokehbench.nets.deeplens.deep_lens_net import DeepLensNet
from bokehbench.nets.deeplens.mixing import dead_fraction, mix
from bokehbench.nets.deeplens.pyramid import area_resize, halve, level_count, pyramid, resample

__all__ = ["DeepLensNet", "area_resize", "dead_fraction", "halve", "level_count", "mix", "pyramid", "resample"]
