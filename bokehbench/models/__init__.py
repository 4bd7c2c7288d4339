"""LightningModules, one file per method. To add one, see docs/adding_a_model.md: import it here, list it below."""

from bokehbench.models.base import BokehModel
from bokehbench.models.deeplens import DeepLens

#: Short names of the command line: class names in lower case.
MODELS: dict[str, type[BokehModel]] = {model.__name__.lower(): model for model in (DeepLens,)}

__all__ = ["MODELS", "BokehModel", "DeepLens"]
