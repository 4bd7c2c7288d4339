"""The method of a stored result, opened again with the weights that it was measured with."""

from collections.abc import Sequence
from pathlib import Path

from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.load import construct, load_model, recorded_method
from bokehbench.models.weights import WEIGHTS_NAME, weights_hash, weights_name


def reopened(result: Result, checkpoints: Sequence[Path]) -> BokehModel:
    """The method of a result, in evaluation mode; weights that come with a method need no checkpoint.

    Args:
        result: what is wanted.
        checkpoints: the method's, or those of a combination's parts, in any order.

    Raises:
        BokehbenchError: a checkpoint is missing, of another method, or of none of the parts; or only the pictures of
            the result are known, or its class is not registered.
    """
    if result.weights_hash == OUTPUTS_ONLY:
        raise BokehbenchError(f"{result.id} is of a folder of outputs: score that folder again with `leaderboard add`.")
    code = result.training.get("code", {})
    owner = f"{code.get('distribution', '')} {code.get('version', '')}".strip()
    kind = recorded_method(code.get("class", result.method), f"Result {result.id}", owner)
    if kind.trainable:
        # A test may have changed what the fit did not know, such as another upsampling
        return load_model(_own(result, kind, checkpoints), kind, lambda kind: dict(result.architecture))
    parts = _Parts(result, checkpoints)
    model = construct(kind, kind.put_together(result.architecture, parts.find)).eval()
    parts.refuse_unused()
    return model


def _own(result: Result, kind: type[BokehModel], checkpoints: Sequence[Path]) -> Path:
    """The one checkpoint of a method that is trained: that which was given, or its own where the result is of it."""
    if len(checkpoints) > 1:
        raise BokehbenchError(f"{result.id} is of one method, {result.method}: give one --checkpoint.")
    if checkpoints:
        return checkpoints[0]
    if kind.pretrained is not None and weights_hash(load_model(kind.pretrained, kind)) == result.weights_hash:
        return kind.pretrained
    raise BokehbenchError(f"{result.id} is of {result.method} with weights: give its --checkpoint.")


class _Parts:
    """Checkpoints by the names that results have for them."""

    def __init__(self, result: Result, checkpoints: Sequence[Path]) -> None:
        self._result = result
        self._given = {weights_name(load_model(path)): path for path in checkpoints}
        self._used = set[str]()

    def find(self, name: str) -> Path | None:
        """As ``find`` of :meth:`BokehModel.put_together`."""
        if WEIGHTS_NAME.fullmatch(name) is None:
            return None
        self._used.add(name)
        come_along = (kind.pretrained for kind in MODELS.loaded().values() if kind.pretrained is not None)
        found = self._given.get(name) or next((p for p in come_along if weights_name(load_model(p)) == name), None)
        if found is None:
            given = f", not of {', '.join(self._given)}" if self._given else ""
            raise BokehbenchError(f"{self._result.id} has a part with weights, {name}: give its --checkpoint{given}.")
        return found

    def refuse_unused(self) -> None:
        """BokehbenchError for a checkpoint of which the result is not made."""
        for name in sorted(self._given.keys() - self._used):
            raise BokehbenchError(f"{self._given[name]} is of {name}, which is no part of {self._result.id}.")
