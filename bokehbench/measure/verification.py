"""A board's own pictures: their fingerprints, and a stored result measured again on them from its checkpoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from bokehbench.board.boards import Board, write_fingerprints
from bokehbench.board.leaderboard import admit
from bokehbench.board.results import Result
from bokehbench.cluster.once import Once
from bokehbench.errors import BokehbenchError
from bokehbench.fingerprint import fingerprint
from bokehbench.machine import device_in_words, usable_device
from bokehbench.measure.again import Again, board_data, measure
from bokehbench.measure.pictures import Picture, gather, target_files_hash, total_hash
from bokehbench.metrics.columns import columns, find_column
from bokehbench.metrics.sample import Tried
from bokehbench.models.base import BokehModel
from bokehbench.models.weights import weights_hash
from bokehbench.provenance import versions

#: What a record of a training says of its run: time and device, and the commit of the code. Trained again, a recipe
#: gives the same weights at another time.
RUN = {"effort", "code"}
#: Pictures that are pinned, spread over the split, the first among them: a test on other pictures ends at once.
PINNED = 5


@dataclass
class Verdict:
    """What measuring again showed.

    Attributes:
        differ: one line for each thing that is not as stored: ``4545 psnr: stored 19.7400, now 19.8100``, a hash ...
        unmeasured: what could not be measured again -> why.
        largest: column -> largest absolute difference.
        compared: pictures.
    """

    differ: list[str] = field(default_factory=list)
    unmeasured: dict[str, str] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    compared: int = 0

    @property
    def same(self) -> bool:
        """Whether nothing that was measured differs."""
        return not self.differ and self.compared > 0

    @property
    def answer(self) -> str:
        """One line."""
        if not self.same:
            return f"NOT VERIFIED: {len(self.differ)} differ." if self.differ else "NOT VERIFIED: nothing was compared."
        if self.unmeasured:
            return f"VERIFIED but for {'; '.join(f'{what} ({why})' for what, why in self.unmeasured.items())}."
        return "VERIFIED: every score of every picture is the stored one, and so are hashes, flags and provenance."


def verify(
    board: Board, result: Result, checkpoints: Sequence[Path] = (), root: Path | None = None, device: str | None = None,
    outputs: Path | None = None,
) -> Verdict:  # fmt: skip
    """Render the board's pictures with the checkpoint's method and compare all that a result says of itself.

    Times, memory and dates are the recorder's word: another run gives others.

    Args:
        checkpoints: of ``fit`` or ``import-weights``; of the result's method, or of the parts of a combination. None
            are needed for methods without weights and for weights that come with a method.
        root: the data's folder, for boards whose pictures are not made from a seed.
        device: ``cpu``, ``cuda`` ... ; None = a GPU where there is one.
        outputs: folder of pictures that the recorder stored, to measure in place of rendering.

    Raises:
        BokehbenchError: a checkpoint is of another method, there is nothing to run, or the data lacks pictures of the
            result.
    """
    if any("control" in column.needs for column in board.scores):
        raise BokehbenchError(f"{board.name} is of sweeps: compare with a result of `bokehbench test --control`.")
    verdict = Verdict()
    flags = admit(board, result).flags
    _compare(verdict, "flags", ", ".join(sorted(result.flags)) or "none", ", ".join(flags) or "none")
    place = usable_device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    again = Once[Again](Again.of_result, board, result, checkpoints, root, outputs, place)
    model, data = again().model, again().data
    weights = "" if model is None else weights_hash(model)
    data.setup("test")
    pictures = list(measure(again, set(result.per_image)))
    compare(verdict, result, pictures, board)
    files = target_files_hash(data, set(result.per_image))
    _bits(verdict, "target_hash", result, files or total_hash({p.name: p.target for p in pictures}), place)
    _bits(verdict, "prediction_hash", result, total_hash({p.name: p.prediction for p in pictures}), place)
    if model is None:
        verdict.unmeasured["how the pictures were made"] = "the stored ones were scored, nothing was rendered"
        return verdict
    _compare(verdict, "weights", result.weights_hash, weights)
    for picture in pictures:
        _tried(verdict, picture.name, result.tried.get(picture.name, ()), picture.tried)
    _compare(verdict, "parameters", result.parameters, sum(p.numel() for m in model.inference_modules()
                                                           for p in m.parameters()))  # fmt: skip
    network = model.network(model.architecture_arguments)
    _compare(verdict, "network", result.network.get("name"), network.get("name"))
    _provenance(verdict, result, model)
    return verdict


def pin(folder: Path, board: Board, root: Path | None = None) -> Path:
    """Write ``targets.json`` from the board's own data; returns the file.

    Raises:
        BokehbenchError: the board names no data, or it is not there, or has other pictures than the board says.
    """
    data = board_data(board, root)
    data.setup("test")
    pictures = data.pictures("test")
    if pictures is None or len(pictures) != board.count:
        found = 0 if pictures is None else len(pictures)
        raise BokehbenchError(f"{board.name} has {board.count} pictures and its data {found}: give --root.")
    places = sorted({round(n * (board.count - 1) / (PINNED - 1)) for n in range(PINNED)})
    items = [pictures[place] for place in tqdm(places, desc="targets", unit="picture")]
    return write_fingerprints(folder, {item["name"]: fingerprint(item["bokeh"]) for item in items})


def compare(verdict: Verdict, result: Result, pictures: list[Picture], board: Board) -> None:
    """Stored scores against those measured now, each within its column's tolerance."""
    now, missing = gather(pictures, board.evaluator)
    verdict.unmeasured |= missing | dict.fromkeys(set(result.columns) - set(columns()), "its package is not installed")
    verdict.compared = len(pictures)
    for name, row in sorted(now.items()):
        stored = result.per_image[name]
        for column in result.columns:
            if column in verdict.unmeasured:
                continue
            old, new = stored.get(column, float("nan")), row.get(column, float("nan"))
            gap = 0.0 if old == new else abs(old - new)
            verdict.largest[column] = max(gap, verdict.largest.get(column, 0.0))
            if not find_column(column).same(old, new):
                verdict.differ.append(f"{name} {column}: stored {old:.4f}, now {new:.4f}")


def _tried(verdict: Verdict, name: str, stored: Tried, now: Tried) -> None:
    """What was tried to match the strength of a picture: the same apertures, and the same scores."""
    one, other = (np.array(each, dtype=float).reshape(-1, 3) for each in (stored, now))  # None is NaN
    same = one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)
    _compare(verdict, f"{name}, tried apertures", "as stored", "as stored" if same else "others or other scores")


def _compare(verdict: Verdict, what: str, stored: object, now: object) -> None:
    if stored != now:
        verdict.differ.append(f"{what}: stored {_short(stored)}, now {_short(now)}")


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 and " " not in text else text


def _bits(verdict: Verdict, what: str, result: Result, now: str, device: torch.device) -> None:
    """A hash of pictures: where the same machine and versions give other bits, something is not as stored."""
    if getattr(result, what) == now:
        return
    elsewhere = result.device != device_in_words(device) or dict(result.versions) != versions()
    if elsewhere:
        verdict.unmeasured[what] = "other bits here, and it was measured on another machine or with other versions"
    else:
        _compare(verdict, what, getattr(result, what), now)


def _provenance(verdict: Verdict, result: Result, model: BokehModel) -> None:
    """What the checkpoints know of their training against what the result says of it."""
    known = model.provenance.training()
    if model.trainable and "code" not in known:
        verdict.unmeasured["training"] = "the checkpoint is of a bokehbench that kept no provenance"
        return
    # Code of a method that was not trained is that which runs now, not that of the weights
    compared = {*known, *result.training} - (set() if model.trainable else {"code"})
    before, after = ({key: record.get(key) for key in compared} for record in (result.training, known))
    run = list[str]()
    for path, stored, now in _leaves(before, after):
        line = f"training, {', '.join(path)}: stored {_short(stored)}, now {_short(now)}"
        (run if RUN & set(path) else verdict.differ).append(line)
    if run:
        verdict.unmeasured["the run of the training"] = f"the checkpoint is of another one; {'; '.join(run)}"
    _compare(verdict, "seed", result.seed, model.provenance.seed)


def _leaves(stored: object, now: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, stored, now) of all that differs between two records of a training."""
    if isinstance(stored, Mapping) and isinstance(now, Mapping):
        pairs = [(str(key), stored.get(key), now.get(key)) for key in sorted({*stored, *now})]
    elif isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        pairs = [(str(place), *both) for place, both in enumerate(zip(stored, now, strict=True))]
    else:
        if stored != now:
            yield path, stored, now
        return
    for key, one, other in pairs:
        yield from _leaves(one, other, (*path, key))
