"""Methods that need no training: what any trained one should beat."""

from bokehbench.models.baselines.gaussian import Gaussian
from bokehbench.models.baselines.identity import Identity
from bokehbench.models.baselines.layered import Layered
from bokehbench.models.baselines.scatter import Scatter

__all__ = ["Gaussian", "Identity", "Layered", "Scatter"]
