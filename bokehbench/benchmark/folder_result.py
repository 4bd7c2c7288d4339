"""A folder of somebody's outputs as a result on a board: no model, so the pictures themselves are the identity."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

from bokehbench.benchmark.boards import Board
from bokehbench.benchmark.folder_scores import PictureScores, Settings, score_pairs
from bokehbench.benchmark.identity import OUTPUTS_ONLY, hash_files
from bokehbench.benchmark.paired_folders import pair_folders
from bokehbench.benchmark.provenance import commit, versions
from bokehbench.benchmark.results import Result
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.diagnostics import COLUMNS


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
    head, dirty = commit()
    per_image, missing = gather(pictures, board.protocol)
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
        commit=head,
        flags=("dirty",) if dirty else (),
        date=datetime.date.today().isoformat(),
    )


def gather(pictures: list[PictureScores], protocol: str) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """``per_image`` and ``missing`` of a result: a column with a reason instead of values is missing altogether."""
    missing = {
        column: value for p in pictures for column, value in p.scores[protocol].items() if isinstance(value, str)
    }
    per_image = {}
    for picture in pictures:
        scores = {c: float(v) for c, v in picture.scores[protocol].items() if c not in missing}
        scores |= {c: v for c, v in picture.diagnostics.items() if not math.isnan(v)}
        per_image[picture.name] = scores
    return per_image, missing
