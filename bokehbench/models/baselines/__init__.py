"""Methods that need no training: what any trained one should beat."""

from bokehbench.models.baselines.compositional import Compositional
from bokehbench.models.baselines.gaussian import Gaussian
from bokehbench.models.baselines.identity import Identity
from bokehbench.models.baselines.layered import Layered
from bokehbench.models.baselines.raytraced import RayTraced
from bokehbench.models.baselines.scatter import Scatter

__all__ = ["Compositional", "Gaussian", "Identity", "Layered", "RayTraced", "Scatter"]
