"""Depth providers by what people type: those of the room ``depth``, and the depth network of a trained method."""

from pathlib import Path

import torch
from torch import Tensor, nn

from bokehbench import depth as providers
from bokehbench.depth import DepthProvider
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models.load import load_model
from bokehbench.models.weights import weights_hash, weights_name
from bokehbench.optics import minmax
from bokehbench.provenance import Origin

#: Depth that no provider makes: the data set's, and that of the renderer's own network.
WORDS = ("given", "own")


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
                f"checkpoint:{path}: {type(model).__name__} has no depth network: give a checkpoint of "
                "a method that has one."
            )
        self.origin = Origin("depth", weights_hash(model), model.provenance)
        self.name = weights_name(model)
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


def open_provider(spec: str, option: str = "--model.depth", words: tuple[str, ...] = WORDS) -> DepthProvider | None:
    """The provider that ``option`` names, None for ``words``; BokehbenchError where there is no such."""
    if spec in words:
        return None
    kind, _, what = spec.partition(":")
    found = CheckpointDepth(Path(what).expanduser()) if kind == "checkpoint" and what else providers.find(spec)
    if found is None:
        forms = (*words, "checkpoint:PATH", *(f"{kind}:..." for kind in providers.KINDS))
        raise BokehbenchError(f"{option} {spec}: there is no such provider; {nearest(spec, forms)}.")
    return found
