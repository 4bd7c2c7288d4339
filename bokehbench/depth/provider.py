"""What gives depth of pictures."""

from typing import Protocol

from torch import Tensor, nn


class DepthProvider(Protocol):
    """Depth of pictures, from wherever."""

    #: What it is, for results: no path of this machine, and another name for other maps.
    name: str
    #: The network behind it, for device, parameters and weights' hash; None = stored maps.
    module: nn.Module | None
    #: Whether maps come from disk when a picture is seen again: time spent on them says nothing.
    stored: bool

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """Depth of B pictures.

        Args:
            image: B 3 H W in [0, 1].
            names: B file stems, for providers that look maps up; None: not known.

        Returns:
            B 1 H W in [0, 1], 1 = nearest, min-max normalised per picture, on the device of ``image``.

        Raises:
            BokehbenchError: there is no depth for a picture; names it.
        """
        ...
