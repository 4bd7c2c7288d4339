"""One picture of a test, measured: its scores, and what tells its output and target from others."""

import datetime
import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from bokehbench.batch import Batch, f_numbers_of
from bokehbench.board.boards import Board
from bokehbench.board.identity import hash_files
from bokehbench.board.results import Result
from bokehbench.data.base import BokehDataModule
from bokehbench.data.records import RecordSet
from bokehbench.errors import BokehbenchError
from bokehbench.fingerprint import CELLS, fingerprint
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.protocols import Protocol
from bokehbench.metrics.sample import Sample, Tried
from bokehbench.provenance import versions
from bokehbench.repository import commit, dirty


@dataclass(frozen=True)
class Picture:
    """A measured picture: column -> value, or why there is none; SHA-256 of the 8-bit values of prediction and target;
    the target's fingerprint, where it was asked for; its f-number, where it is known; what was tried to match its
    strength."""

    name: str
    scores: dict[str, float | str]
    prediction: str = ""
    target: str = ""
    fingerprint: tuple[float, ...] = ()
    f_number: float | None = None
    tried: Tried = ()


def measured(
    batch: Batch, sample: Sample, measurement: Measurement, fingerprinted: Collection[str] = ()
) -> list[Picture]:
    """The pictures of a batch that was rendered as ``sample``.

    ``fingerprinted`` names the pictures whose targets' fingerprints are wanted.

    Raises:
        BokehbenchError: no target, or a picture that cannot be scored; names it.
    """
    names, f_numbers = batch["name"], f_numbers_of(batch)
    if sample.target is None:
        raise BokehbenchError(f"{names[0]} has no target, so it cannot be scored: check the data set's root.")
    try:
        scores = measurement.of(sample)
    except BokehbenchError as error:
        raise BokehbenchError(f"{', '.join(names)}: {error}") from error
    return [
        Picture(
            name,
            {column: value if isinstance(value, str) else float(value[n]) for column, value in scores.items()},
            picture_hash(sample.output[n]),
            picture_hash(sample.target[n]),
            fingerprint(sample.target[n]) if name in fingerprinted and min(sample.target.shape[-2:]) >= CELLS else (),
            f_numbers.get(name),
            sample.tried[n] if sample.tried else (),
        )
        for n, name in enumerate(names)
    ]


def gather(pictures: Sequence[Picture], protocol: Protocol) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """``per_image`` and ``missing`` of a result; a protocol's column counts for all pictures or for none."""
    per_image: dict[str, dict[str, float]] = {}
    missing: dict[str, str] = {}
    for picture in pictures:
        row = per_image[picture.name] = {}
        for column, value in picture.scores.items():
            if isinstance(value, str):
                missing.setdefault(column, value)
            elif not math.isnan(value):
                row[column] = value
    for column in missing:
        if column in protocol.columns:
            for row in per_image.values():
                row.pop(column, None)
    return per_image, {c: why for c, why in missing.items() if not any(c in row for row in per_image.values())}


def board_result(board: Board, pictures: Sequence[Picture], **known: Any) -> Result:
    """A result of today, by this code, on a board; ``known`` are the attributes that whoever measured it tells."""
    per_image, missing = gather(pictures, board.evaluator)
    matched = "matched" in known.get("inference", {}) and board.search is None
    flags = {"dirty": dirty(), "stopped": _stopped(known.get("training", {})), "matched": matched}
    result = Result(
        board=board.name,
        board_version=board.version,
        protocol=board.evaluator.describe(),
        split=board.split,
        per_image=per_image,
        missing=missing,
        f_numbers={picture.name: picture.f_number for picture in pictures if picture.f_number is not None},
        tried={picture.name: picture.tried for picture in pictures if picture.tried},
        versions=versions(),
        commit=commit(),
        flags=tuple(flag for flag, right in flags.items() if right),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        **known,
    )
    return replace(result, flags=(*result.flags, "untrained")) if result.untrained else result


def _stopped(training: Mapping[str, Any]) -> bool:
    """Whether a stage has fewer steps than its recipe, in this training or in one of what a combination is made of."""
    parts = (each["training"] for each in training.get("origins", ()) if each["role"] != "start")
    return any("steps_done" in stage for stage in training.get("stages", {}).values()) or any(map(_stopped, parts))


def picture_hash(picture: Tensor) -> str:
    """SHA-256 (hex) of a C H W picture's 8-bit values and its shape."""
    levels = picture.detach().clamp(0, 1).mul(255).round().byte().cpu().contiguous()
    return hashlib.sha256(f"{tuple(levels.shape)}".encode() + levels.numpy().tobytes()).hexdigest()


def total_hash(hashes: dict[str, str]) -> str:
    """One hash of all pictures' hashes, by name."""
    lines = (f"{name}:{each}\n" for name, each in sorted(hashes.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def target_files_hash(data: BokehDataModule, names: Collection[str] | None = None) -> str | None:
    """Of the files of the test targets (of those called ``names``); None where they are not files but made."""
    pictures = data.pictures("test") if isinstance(data, BokehDataModule) else None
    if not isinstance(pictures, RecordSet) or not all("bokeh" in record.files for record in pictures.records):
        return None
    wanted = [record for record in pictures.records if names is None or record.name in names]
    return hash_files({record.name: record.files["bokeh"] for record in wanted})
