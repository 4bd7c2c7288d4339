"""LightningModules, one file per method. To add one, see docs/adding_a_model.md: import it here, list it below."""

from bokehbench.models.aperture import Aperture
from bokehbench.models.base import BokehModel
from bokehbench.models.baselines import Compositional, Gaussian, Identity, Layered, RayTraced, Scatter
from bokehbench.models.combination import Combination
from bokehbench.models.d2f import D2F
from bokehbench.models.deeplens import DeepLens
from bokehbench.models.pix2pix import Pix2Pix
from bokehbench.models.pynet import PyNET

__all__ = [
    "D2F", "MODELS", "Aperture", "BokehModel", "Combination", "Compositional", "DeepLens", "Gaussian", "Identity",
    "Layered", "Pix2Pix", "PyNET", "RayTraced", "Scatter",
]  # fmt: skip

#: Short names of the command line: class names in lower case.
MODELS: dict[str, type[BokehModel]] = {
    model.__name__.lower(): model
    for model in (
        Aperture, Combination, Compositional, D2F, DeepLens, Gaussian, Identity, Layered, Pix2Pix, PyNET, RayTraced,
        Scatter,
    )
}  # fmt: skip
