"""A board's own pictures: their fingerprints, and a stored result measured again on them from its checkpoint."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from bokehbench.batch import Batch
from bokehbench.board.boards import Board, write_fingerprints
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.leaderboard import admit
from bokehbench.board.results import Result
from bokehbench.data import open_data
from bokehbench.data.base import BokehDataModule
from bokehbench.data.image_io import read_rgb
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import picture_file
from bokehbench.fingerprint import fingerprint
from bokehbench.machine import device_in_words, usable_device
from bokehbench.measure.pictures import Picture, gather, measured, target_files_hash, total_hash
from bokehbench.metrics.columns import columns, find_column
from bokehbench.metrics.matched import MatchedStrength
from bokehbench.metrics.measurement import Measurement, sample_of
from bokehbench.metrics.sample import Sample, Tried
from bokehbench.models.base import BokehModel
from bokehbench.models.load import construct, load_model, recorded_method
from bokehbench.models.weights import weights_hash
from bokehbench.provenance import versions

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
    board: Board, result: Result, checkpoint: Path | None = None, root: Path | None = None, device: str | None = None,
    outputs: Path | None = None,
) -> Verdict:  # fmt: skip
    """Render the board's pictures with the checkpoint's method and compare all that a result says of itself.

    Times, memory and dates are the recorder's word: another run gives others.

    Args:
        checkpoint: of ``fit`` or ``import-weights``; of the result's method. None for a method without weights.
        root: the data's folder, for boards whose pictures are not made from a seed.
        device: ``cpu``, ``cuda`` ... ; None = a GPU where there is one.
        outputs: folder of pictures that the recorder stored, to measure in place of rendering.

    Raises:
        BokehbenchError: the checkpoint is of another method, there is nothing to run, or the data lacks pictures of the
            result.
    """
    if any("control" in column.needs for column in board.scores):
        raise BokehbenchError(f"{board.name} is of sweeps: compare with a result of `bokehbench test --control`.")
    verdict = Verdict()
    flags = admit(board, result).flags
    _compare(verdict, "flags", ", ".join(sorted(result.flags)) or "none", ", ".join(flags) or "none")
    model = open_model(result, checkpoint) if outputs is None else None
    if model is not None:
        model.matched = MatchedStrength.read(result.inference.get("matched") or {}, f"Result {result.id}, matched")
    sample = model.sample if model is not None else partial(stored, outputs or Path())
    place = usable_device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    weights = "" if model is None else weights_hash(model.eval().to(place))
    data = test_data(board, root)
    names = [column for column in result.columns if column in columns()]
    measurement = Measurement.named(names, board.evaluator)
    pictures = list(measure(sample, data, board, measurement, set(result.per_image), place))
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
    if checkpoint is not None:
        _provenance(verdict, result, model)
    return verdict


def stored(folder: Path, batch: Batch) -> Sample:
    """A batch with the outputs that the recorder stored in ``folder``; BokehbenchError where one is not there."""
    found = [read_rgb(picture_file(folder, "output", name)) for name in batch["name"]]
    return sample_of(torch.stack(found).to(batch["image"].device), batch)


def open_model(result: Result, checkpoint: Path | None) -> BokehModel:
    """The method of a result with its weights.

    Raises:
        BokehbenchError: it needs a checkpoint and none was given, only its pictures are known, or its class is not
            registered.
    """
    if result.weights_hash == OUTPUTS_ONLY:
        raise BokehbenchError(f"{result.id} is of a folder of outputs: score that folder again with `leaderboard add`.")
    code = result.training.get("code", {})
    owner = f"{code.get('distribution', '')} {code.get('version', '')}".strip()
    kind = recorded_method(code.get("class", result.method), f"Result {result.id}", owner)
    if checkpoint is not None:
        # A test may have changed what the fit did not know, such as another upsampling
        return load_model(checkpoint, kind, lambda kind: dict(result.architecture))
    if kind.trainable:
        raise BokehbenchError(f"{result.id} is of {result.method} with weights: give its --checkpoint.")
    return construct(kind, result.architecture).eval()


def test_data(board: Board, root: Path | None) -> BokehDataModule:
    """The board's data set, ready to test.

    Raises:
        BokehbenchError: the board names none, or it is not there.
    """
    given = {} if root is None else {"root": root}
    data = open_data(str(board.data.get("name")), **{**board.data.get("arguments", {}), **given})
    data.setup("test")
    return data


def pin(folder: Path, board: Board, root: Path | None = None) -> Path:
    """Write ``targets.json`` from the board's own data; returns the file.

    Raises:
        BokehbenchError: the board names no data, or it is not there, or has other pictures than the board says.
    """
    data = test_data(board, root)
    pictures = data.pictures("test")
    if pictures is None or len(pictures) != board.count:
        found = 0 if pictures is None else len(pictures)
        raise BokehbenchError(f"{board.name} has {board.count} pictures and its data {found}: give --root.")
    places = sorted({round(n * (board.count - 1) / (PINNED - 1)) for n in range(PINNED)})
    items = [pictures[place] for place in tqdm(places, desc="targets", unit="picture")]
    return write_fingerprints(folder, {item["name"]: fingerprint(item["bokeh"]) for item in items})


@torch.inference_mode()
def measure(
    sample: Callable[[Batch], Sample], data: BokehDataModule, board: Board, measurement: Measurement, names: set[str],
    device: torch.device | str = "cpu",
) -> Iterator[Picture]:  # fmt: skip
    """The test pictures called ``names``, measured as ``sample`` gives them from batches on ``device``.

    Raises:
        BokehbenchError: a picture is not in the data, has no target, or is not the board's.
    """
    lost = set(names)
    for batch in tqdm(data.test_dataloader(), desc="verify", unit="picture"):
        if not set(batch["name"]) & names:
            continue
        moved = data.transfer_batch_to_device(batch, torch.device(device), 0)
        for picture in measured(moved, sample(moved), measurement, board.fingerprints):
            board.refuse_fingerprint(picture.name, picture.fingerprint)
            lost.discard(picture.name)
            yield picture
    if lost:
        raise BokehbenchError(f"{len(lost)} pictures of the result are not in the data ({min(lost)} ...): give --root.")


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
    """What the checkpoint knows of its training against what the result says of it."""
    known = model.provenance.training()
    if "code" not in known:
        verdict.unmeasured["training"] = "the checkpoint is of a bokehbench that kept no provenance"
        return
    for key in sorted({*known, *result.training}):
        _compare(verdict, f"training, {key}", result.training.get(key), known.get(key))
    _compare(verdict, "seed", result.seed, model.provenance.seed)
