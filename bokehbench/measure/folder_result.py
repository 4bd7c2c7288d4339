"""A folder of somebody's outputs as a result on a board: no model, so the pictures themselves are the identity."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

from bokehbench.board.boards import Board
from bokehbench.board.identity import OUTPUTS_ONLY, hash_files
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError
from bokehbench.measure.folder_scores import PictureScores, Settings, score_pairs
from bokehbench.measure.paired_folders import pair_folders
from bokehbench.measure.provenance import commit, dirty, versions
from bokehbench.metrics.diagnostics import COLUMNS
from bokehbench.metrics.protocols import Protocol
from bokehbench.metrics.scoring import NOT_AVAILABLE


def score_folder(
    board: Board, method: str, outputs: Path, targets: Path, masks: Path | None = None, note: str = ""
) -> Result:
    """Score ``outputs`` under the board's protocol, with the diagnostic columns.

    Args:
        board: where the result is to go.
        method: label of the row.
        outputs, targets, masks: folders, paired strictly by file stem; masks mark what is in focus.
        note: where the outputs are from.

    Raises:
        BokehbenchError: an output or target that is odd (missing outputs are incomplete, not odd) or unreadable.
    """
    pairing = pair_folders({method: outputs}, targets, masks)
    pairing.refuse({"missing"})
    pairs = pairing.pairs[method]
    settings = Settings((board.evaluator,), diagnostics=bool(set(COLUMNS) & set(board.columns)))
    pictures = score_pairs(pairs, settings)
    bad = [picture.unreadable for picture in pictures if picture.unreadable]
    if bad:
        raise BokehbenchError("not scored: " + "; ".join(bad))
    per_image, missing = gather(pictures, board.evaluator)
    return Result(
        board=board.name,
        board_version=board.version,
        method=method,
        per_image=per_image,
        missing=missing,
        weights_hash=OUTPUTS_ONLY,
        protocol=board.evaluator.describe(),
        split=board.split,
        target_hash=hash_files({pair.name: pair.target for pair in pairs}),
        prediction_hash=hash_files({pair.name: pair.output for pair in pairs}),
        training={"outputs": note} if note else {},
        versions=versions(),
        commit=commit(),
        flags=("dirty",) if dirty() else (),
        date=datetime.date.today().isoformat(),
    )


def gather(pictures: list[PictureScores], protocol: Protocol) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """``per_image`` and ``missing`` of a result: a column with a reason instead of values is missing altogether."""
    scores = {picture.name: picture.scores[protocol.name] for picture in pictures}
    missing: dict[str, str] = {}
    for column in protocol.columns:
        values = [row.get(column, NOT_AVAILABLE) for row in scores.values()]
        reasons = [value.removeprefix("n/a: ") for value in values if isinstance(value, str)]
        if reasons:
            missing[column] = reasons[0]
    per_image = {}
    for picture in pictures:
        row = {column: float(value) for column, value in scores[picture.name].items() if column not in missing}
        row |= {column: value for column, value in picture.diagnostics.items() if not math.isnan(value)}
        per_image[picture.name] = row
    return per_image, missing
