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
    """A :class:`bokehbench.depth.DepthProvider`: the ``disparity`` of a trained method, run again every time.

    Args:
        path: checkpoint of ``fit`` or ``import-weights``.

    Raises:
        BokehbenchError: unreadable, or of a method without a depth network.
    """

    stored: bool = False

    def __init__(self, path: Path) -> None:
        model = load_model(path)
        if model.uses.disparity != "own":
            raise BokehbenchError(
                f"--model.depth checkpoint:{path}: {type(model).__name__} has no depth network: give a checkpoint of "
                "a method that has one."
            )
        self.origin = Origin("depth", weights_hash(model), model.provenance)
        self.name = f"{type(model).__name__} {self.origin.weights_hash[:8]}"
        #: The depth network alone, where it can be told from the rest.
        net = getattr(model, "net", model)
        self.module: nn.Module | None = getattr(net, "depth", net)
        self._model = model

    @torch.no_grad()
    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor:
        """As :meth:`DepthProvider.disparity`; ``names`` are not used."""
        found = self._model.disparity(image)
        assert found is not None, "asked for in the constructor"
        return minmax(found)  # a sigmoid's output does not fill [0, 1]
