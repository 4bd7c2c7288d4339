"""Depth from the depth network of a checkpoint of ours."""

from pathlib import Path

import torch
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.models.load import load_model
from bokehbench.models.weights import weights_hash
from bokehbench.optics import minmax
from bokehbench.provenance import Origin


class CheckpointDepth:
    """A :class:`bokehbench.depth.DepthProvider`: ``net.predict_disparity`` of a trained method, run again every time.

    Args:
        path: checkpoint of ``fit`` or ``import-weights``.

    Raises:
        BokehbenchError: unreadable, or of a method without a depth network.
    """

    stored: bool = False

    def __init__(self, path: Path) -> None:
        model = load_model(path)
        self._net = getattr(model, "net", None)
        if not hasattr(self._net, "predict_disparity"):
            raise BokehbenchError(
                f"--model.depth checkpoint:{path}: {type(model).__name__} has no depth network: give a checkpoint of "
                "a method that has one, such as DeepLens."
            )
        self.origin = Origin("depth", weights_hash(model), model.provenance)
        self.name = f"{type(model).__name__} {self.origin.weights_hash[:8]}"
        #: The depth network alone, where it can be told from the rest.
        self.module: nn.Module | None = getattr(self._net, "depth", self._net)

    @torch.no_grad()
    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """As :meth:`DepthProvider.disparity`; ``names`` are not used."""
        assert self._net is not None
        return minmax(self._net.predict_disparity(image))  # a sigmoid's output does not fill [0, 1]
