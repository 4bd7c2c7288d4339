"""LightningModules, one file per method. To add one, see docs/adding_a_model.md: import it here, list it below."""

from bokehbench.models.base import BokehModel
from bokehbench.models.baselines import Gaussian, Identity, Layered, Scatter
from bokehbench.models.d2f import D2F
from bokehbench.models.deeplens import DeepLens
from bokehbench.models.pynet import PyNET

#: Short names of the command line: class names in lower case.
MODELS: dict[str, type[BokehModel]] = {
    model.__name__.lower(): model for model in (D2F, DeepLens, Gaussian, Identity, Layered, PyNET, Scatter)
}

__all__ = ["D2F", "MODELS", "BokehModel", "DeepLens", "Gaussian", "Identity", "Layered", "PyNET", "Scatter"]
