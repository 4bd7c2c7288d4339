"""Measuring a stored result again from its checkpoint, and comparing picture by picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from bokehbench.batch import known
from bokehbench.board.boards import Board
from bokehbench.board.columns import find_column
from bokehbench.board.identity import NO_WEIGHTS, OUTPUTS_ONLY
from bokehbench.board.results import Result
from bokehbench.data import DATA
from bokehbench.data.base import BokehDataModule
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.measure.weights_hash import weights_hash
from bokehbench.metrics.scoring import score
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.load import load_model


@dataclass(frozen=True)
class Verdict:
    """What measuring again showed.

    Attributes:
        lines: one per thing that differs: the weights, or ``4545 psnr: stored 19.7400, now 19.8100``.
        compared: pictures.
        largest: column -> largest absolute difference.
    """

    lines: list[str]
    compared: int
    largest: dict[str, float]

    @property
    def same(self) -> bool:
        """Whether every score is what was stored."""
        return not self.lines and self.compared > 0


def verify(
    board: Board, result: Result, checkpoint: Path | None = None, root: Path | None = None, device: str | None = None
) -> Verdict:
    """Render the board's pictures with the checkpoint's method and compare every score of the protocol.

    Args:
        board: says which data and protocol.
        result: what was stored.
        checkpoint: of ``fit`` or ``import-weights``; of the result's method. None for a method without weights.
        root: the data's folder, for boards whose pictures are not made from a seed.
        device: ``cpu``, ``cuda`` ... ; None = a GPU where there is one.

    Raises:
        BokehbenchError: the checkpoint is of another method, there is nothing to run, or the data lacks pictures of the
            result.
    """
    model = open_model(result, checkpoint)
    weights = weights_hash(model.state_dict())
    model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    verdict = compare(result, measure(model, open_data(board, root), board, set(result.per_image)))
    if weights == result.weights_hash:
        return verdict
    line = f"weights: stored {result.weights_hash[:12]}, the checkpoint's {weights[:12]}"
    return replace(verdict, lines=[line, *verdict.lines])


def open_model(result: Result, checkpoint: Path | None) -> BokehModel:
    """The method of a result with its weights.

    Raises:
        BokehbenchError: it needs a checkpoint and none was given, or only its pictures are known.
    """
    if result.weights_hash == OUTPUTS_ONLY:
        raise BokehbenchError(f"{result.id} is of a folder of outputs: score that folder again with `leaderboard add`.")
    if checkpoint is not None:
        # A test may have changed what the fit did not know, such as another upsampling
        return load_model(checkpoint, result.method, lambda kind: dict(result.architecture))
    if result.weights_hash != NO_WEIGHTS or result.method.lower() not in MODELS:
        raise BokehbenchError(f"{result.id} is of {result.method} with weights: give its --checkpoint.")
    return MODELS[result.method.lower()](**result.architecture).eval()


def open_data(board: Board, root: Path | None) -> BokehDataModule:
    """The board's data set, ready to test.

    Raises:
        BokehbenchError: the board names none, or it is not there.
    """
    name = str(board.data.get("name"))
    if name not in DATA:
        raise BokehbenchError(f"{board.name}/board.yaml names data '{name}'; {nearest(name, DATA)}.")
    arguments: dict[str, Any] = dict(board.data.get("arguments", {}))
    if root is not None:
        arguments["root"] = root
    data = DATA[name](**arguments)
    data.setup("test")
    return data


@torch.inference_mode()
def measure(model: BokehModel, data: BokehDataModule, board: Board, names: set[str]) -> dict[str, dict[str, float]]:
    """Scores of the test pictures called ``names`` under the board's protocol.

    Raises:
        BokehbenchError: a picture is not in the data, or has no target.
    """
    model.eval()
    found: dict[str, dict[str, float]] = {}
    for batch in tqdm(data.test_dataloader(), desc="verify", unit="picture"):
        if not set(batch["name"]) & names:
            continue
        moved = {key: value.to(model.device) if torch.is_tensor(value) else value for key, value in batch.items()}
        if not bool(known(moved, "bokeh").all()):  # type: ignore[arg-type]
            raise BokehbenchError(f"{batch['name'][0]} has no target: check --root.")
        scores = score(board.evaluator, model.render_batch(moved), moved["bokeh"])  # type: ignore[arg-type]
        for number, name in enumerate(batch["name"]):
            found[name] = {c: float(v[number]) for c, v in scores.items() if not isinstance(v, str)}
    lost = sorted(names - set(found))
    if lost:
        raise BokehbenchError(f"{len(lost)} pictures of the result are not in the data ({lost[0]}, ...): give --root.")
    return found


def compare(result: Result, now: dict[str, dict[str, float]]) -> Verdict:
    """Stored scores against new ones; half a unit of the last shown decimal is no difference."""
    lines: list[str] = []
    largest: dict[str, float] = {}
    for name, scores in sorted(now.items()):
        for column, value in scores.items():
            stored = result.per_image[name].get(column)
            if stored is None:
                continue
            gap = 0.0 if stored == value else abs(stored - value)
            largest[column] = max(gap, largest.get(column, 0.0))
            if not gap <= 0.5 * 10.0 ** -find_column(column).decimals:
                lines.append(f"{name} {column}: stored {stored:.4f}, now {value:.4f}")
    return Verdict(lines, len(now), largest)
