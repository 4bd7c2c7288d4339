"""Scores of picture files, many at a time, with one torch thread each.

A folder of somebody's outputs is a result on a board, too: no model, so the pictures themselves are the identity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from bokehbench.board.boards import Board
from bokehbench.board.identity import OUTPUTS_ONLY, hash_files
from bokehbench.board.results import Result
from bokehbench.cluster.connection import Workers
from bokehbench.cluster.in_order import engaged, in_order
from bokehbench.data.decoding import open_header, readable
from bokehbench.data.focus import estimate_focus
from bokehbench.data.image_io import read_rgb
from bokehbench.data.maps import read_map
from bokehbench.errors import BokehbenchError
from bokehbench.f_numbers import f_number_in
from bokehbench.fingerprint import fingerprint
from bokehbench.measure.paired_folders import PairedFiles, pair_folders
from bokehbench.measure.pictures import Picture, board_result
from bokehbench.metrics.lpips import available
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.pretrained import NOT_AVAILABLE
from bokehbench.metrics.protocols import Protocol
from bokehbench.metrics.regions import in_focus_from_disparity
from bokehbench.metrics.sample import Sample

#: With fewer megapixels than this for each, another process does not pay.
MEGAPIXELS_PER_PROCESS = 6
#: Pictures that go to a process at a time.
CHUNK = 8


@dataclass(frozen=True)
class Settings:
    """What is computed: the columns of protocols, and columns besides, which no protocol has.

    ``in_focus`` says what the maps of the pairs are: a ``"mask"``, or ``"disparity"`` with ``focus`` as the disparity
    in focus (None: the median of its central third).
    """

    protocols: tuple[Protocol, ...]
    more: tuple[str, ...] = ()
    in_focus: str = "mask"
    focus: float | None = None


@dataclass
class PictureScores:
    """One picture: protocol -> column -> value, or why there is none; the columns besides; the target's fingerprint.

    ``unreadable``: why a file could not be read.
    """

    method: str
    name: str
    scores: dict[str, dict[str, float | str]] = field(default_factory=dict)
    more: dict[str, float | str] = field(default_factory=dict)
    fingerprint: tuple[float, ...] = ()
    unreadable: str | None = None


def score_folder(board: Board, method: str, outputs: Path, targets: Path, masks: Path | None, note: str) -> Result:
    """Score ``outputs`` in the columns of the board; ``method`` is the label of the row.

    The folders are paired strictly by file stem; masks mark what is in focus. ``note``: where the outputs are from.

    Raises:
        BokehbenchError: an output or target that is odd (missing outputs are incomplete, not odd) or unreadable.
    """
    pairing = pair_folders({method: outputs}, targets, masks)
    pairing.refuse({"missing"})
    for line in pairing.notes:
        print(f"note: {line}")
    pairs = pairing.pairs[method]
    protocol = board.evaluator
    settings = Settings((protocol,), tuple(name for name in board.columns if name not in protocol.columns))
    with engaged(Workers.that_pay(megapixels(pairs), MEGAPIXELS_PER_PROCESS)):
        pictures = score_pairs(pairs, settings)
    if bad := [picture.unreadable for picture in pictures if picture.unreadable]:
        raise BokehbenchError("not scored: " + "; ".join(bad))
    rows = [
        Picture(picture.name, picture.scores[protocol.name] | picture.more, f_number=f_number_in(picture.name))
        for picture in pictures
    ]
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


def megapixels(pairs: Sequence[PairedFiles]) -> int:
    """About how many there are: those of the first target, times the number of pairs."""
    if not pairs:
        return 0
    try:
        with readable(pairs[0].target, "a picture"):
            width, height = open_header(pairs[0].target).size
    except BokehbenchError:
        return 0  # said when its turn comes
    return width * height * len(pairs) // 10**6


def score_pairs(pairs: Sequence[PairedFiles], settings: Settings) -> list[PictureScores]:
    """Score all pairs, in their order, by the workers that are engaged; BokehbenchError as of :func:`in_order`."""
    # LPIPS is looked for once, here: every process would wait for the network, or download the same file.
    lacking = {p.lpips for p in settings.protocols if p.lpips and not available(p.lpips)}
    had = tuple(replace(p, lpips=None) if p.lpips in lacking else p for p in settings.protocols)
    score = partial(score_pair, settings=replace(settings, protocols=had))
    found = list(in_order(score, pairs, "score", chunk=CHUNK, threads=1))
    for picture in found:
        for protocol in settings.protocols:
            empty = dict.fromkeys(protocol.columns, NOT_AVAILABLE) if picture.unreadable is None else {}
            picture.scores[protocol.name] = {**empty, **picture.scores.get(protocol.name, {})}
    return found


def score_pair(pair: PairedFiles, settings: Settings) -> PictureScores:
    """All scores of one pair of files; what cannot be computed is in the result, not raised."""
    picture = PictureScores(pair.method, pair.name)
    try:
        output, target = read_rgb(pair.output)[None], read_rgb(pair.target)[None]
        in_focus = None if pair.in_focus is None else _in_focus(pair, settings, target)
        sample = Sample(output, target, in_focus=in_focus, names=[pair.name])
    except BokehbenchError as error:
        picture.unreadable = str(error).rstrip(".")
        return picture
    for protocol in settings.protocols:
        picture.scores[protocol.name] = _values(Measurement.of_protocol(protocol), sample)
    picture.more = _values(Measurement.named(settings.more), sample)
    picture.fingerprint = fingerprint(target[0]) if min(target.shape[-2:]) >= 8 else ()
    return picture


def _values(measurement: Measurement, sample: Sample) -> dict[str, float | str]:
    found = measurement.of(sample, strict=False)
    return {column: value if isinstance(value, str) else float(value) for column, value in found.items()}


def _in_focus(pair: PairedFiles, settings: Settings, target: Tensor) -> Tensor:
    """Bool 1 1 H W, at the target's size."""
    assert pair.in_focus is not None
    values = read_map(pair.in_focus, (target.shape[-2], target.shape[-1]), pair.target)[None]
    if values.shape[-2:] != target.shape[-2:]:
        values = F.interpolate(values, target.shape[-2:], mode="bilinear", antialias=True)
    if settings.in_focus == "mask":
        return values >= 0.5
    focus = float(estimate_focus(values[0])) if settings.focus is None else settings.focus
    return in_focus_from_disparity(values, focus)
