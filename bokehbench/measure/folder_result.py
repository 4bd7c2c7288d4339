"""A folder of somebody's outputs as a result on a board: no model, so the pictures themselves are the identity."""

from __future__ import annotations

from pathlib import Path

from bokehbench.board.boards import Board
from bokehbench.board.identity import OUTPUTS_ONLY, hash_files
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError
from bokehbench.measure.folder_scores import Settings, score_pairs
from bokehbench.measure.paired_folders import pair_folders
from bokehbench.measure.pictures import Picture, board_result


def score_folder(
    board: Board, method: str, outputs: Path, targets: Path, masks: Path | None = None, note: str = ""
) -> Result:
    """Score ``outputs`` in the columns of the board.

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
    protocol = board.evaluator
    settings = Settings((protocol,), tuple(name for name in board.columns if name not in protocol.columns))
    pictures = score_pairs(pairs, settings)
    bad = [picture.unreadable for picture in pictures if picture.unreadable]
    if bad:
        raise BokehbenchError("not scored: " + "; ".join(bad))
    rows = [Picture(picture.name, picture.scores[protocol.name] | picture.more) for picture in pictures]
    return board_result(
        board,
        rows,
        method=method,
        weights_hash=OUTPUTS_ONLY,
        target_hash=hash_files({pair.name: pair.target for pair in pairs}),
        prediction_hash=hash_files({pair.name: pair.output for pair in pairs}),
        fingerprints={p.name: p.fingerprint for p in pictures if p.name in board.fingerprints},
        training={"outputs": note} if note else {},
    )
