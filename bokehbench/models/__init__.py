"""LightningModules, one file per method, imported only when asked for. To add one, see docs/adding_a_model.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokehbench.registry import Classes

if TYPE_CHECKING:
    from bokehbench.models.base import BokehModel

#: Short names of the command line: class names in lower case, and the entry points of other packages.
MODELS: Classes[BokehModel] = Classes(
    "method",
    "bokehbench.models",
    {
        "Aperture": "bokehbench.models.aperture",
        "BokehMe": "bokehbench.models.bokehme",
        "Combination": "bokehbench.models.combination",
        "Compositional": "bokehbench.models.baselines.compositional",
        "D2F": "bokehbench.models.d2f",
        "DeepLens": "bokehbench.models.deeplens",
        "External": "bokehbench.models.external",
        "Gaussian": "bokehbench.models.baselines.gaussian",
        "Identity": "bokehbench.models.baselines.identity",
        "Layered": "bokehbench.models.baselines.layered",
        "Pix2Pix": "bokehbench.models.pix2pix",
        "PyNET": "bokehbench.models.pynet",
        "RayTraced": "bokehbench.models.baselines.raytraced",
        "Scatter": "bokehbench.models.baselines.scatter",
    },
    base="bokehbench.models.base:BokehModel",
    option="--model",
)
__getattr__ = MODELS.named
