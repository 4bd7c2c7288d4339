"""Pictures of a board, measured again: rendered with a checkpoint, or as a test stored them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import torch
from tqdm import tqdm

from bokehbench.batch import Batch
from bokehbench.board.boards import Board
from bokehbench.board.results import Result
from bokehbench.cluster.in_order import alone, in_order
from bokehbench.cluster.once import Once
from bokehbench.data import open_data
from bokehbench.data.base import BokehDataModule
from bokehbench.data.image_io import read_rgb
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import picture_file
from bokehbench.measure.pictures import Picture, measured
from bokehbench.measure.reopened import reopened
from bokehbench.metrics.columns import columns
from bokehbench.metrics.matched import MatchedStrength
from bokehbench.metrics.measurement import Measurement, sample_of
from bokehbench.metrics.sample import Sample
from bokehbench.models.base import BokehModel


@dataclass(frozen=True)
class Again:
    """What measures pictures of ``board``: ``sample`` gives an output beside its target from a batch on ``device``."""

    board: Board
    data: BokehDataModule
    measurement: Measurement
    sample: Callable[[Batch], Sample]
    device: torch.device | str = "cpu"
    model: BokehModel | None = None

    @classmethod
    def of_result(
        cls, board: Board, result: Result, checkpoints: Sequence[Path], root: Path | None, outputs: Path | None,
        device: torch.device | str,
    ) -> "Again":  # fmt: skip
        """As :func:`bokehbench.measure.verification.verify`; the data's files are not checked."""
        model = reopened(result, checkpoints).to(device) if outputs is None else None
        if model is not None:
            model.matched = MatchedStrength.read(result.inference.get("matched") or {}, f"Result {result.id}, matched")
        measurement = Measurement.named([name for name in result.columns if name in columns()], board.evaluator)
        sample = model.sample if model is not None else partial(stored, outputs or Path())
        return cls(board, board_data(board, root), measurement, sample, device, model)

    @torch.inference_mode()
    def measure(self, batches: Iterable[Batch], names: set[str]) -> Iterator[Picture]:
        """The pictures of the batches that are called ``names``; BokehbenchError for one that is not the board's."""
        for batch in batches:
            if not set(batch["name"]) & names:
                continue
            moved = self.data.transfer_batch_to_device(batch, torch.device(self.device), 0)
            for picture in measured(moved, self.sample(moved), self.measurement, self.board.fingerprints):
                self.board.refuse_fingerprint(picture.name, picture.fingerprint)
                yield picture


def measure(again: Once[Again], names: set[str]) -> Iterator[Picture]:
    """The test pictures called ``names``, in the data's order, by the workers that are engaged.

    Raises:
        BokehbenchError: a picture is not in the data, has no target, is not the board's, or cannot be read; where there
            are workers, after the others.
    """
    data, lost, bad = again().data, set(names), list[str]()
    if alone():
        found: Iterable[Picture | str] = again().measure(tqdm(data.test_dataloader(), "verify", unit="picture"), names)
    else:
        places = range(len(data.pictures("test") or ()))
        found = chain.from_iterable(in_order(partial(_at, again=again, names=names), places, "verify"))
    for each in found:
        if isinstance(each, str):
            bad.append(each)
            continue
        lost.discard(each.name)
        yield each
    if bad:
        raise BokehbenchError(f"{len(bad)} pictures were not measured:\n  " + "\n  ".join(bad))
    if lost:
        raise BokehbenchError(f"{len(lost)} pictures of the result are not in the data ({min(lost)} ...): give --root.")


def _at(place: int, again: Once[Again], names: set[str]) -> Sequence[Picture | str]:
    """The pictures at one place of the test split; a sentence where there is something wrong with them."""
    made = again()
    try:
        return list(made.measure(made.data.some("test", [place]), names))
    except BokehbenchError as error:
        return [str(error)]


def stored(folder: Path, batch: Batch) -> Sample:
    """A batch with the outputs that the recorder stored in ``folder``; BokehbenchError where one is not there."""
    found = [read_rgb(picture_file(folder, "output", name)) for name in batch["name"]]
    return sample_of(torch.stack(found).to(batch["image"].device), batch)


def board_data(board: Board, root: Path | None) -> BokehDataModule:
    """The board's data set; BokehbenchError where the board names none."""
    given = {} if root is None else {"root": root}
    return open_data(str(board.data.get("name")), **{**board.data.get("arguments", {}), **given})
