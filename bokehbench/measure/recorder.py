"""The result of a test, made in the process that ran it."""

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from pytorch_lightning import LightningModule, Trainer

from bokehbench.batch import Batch
from bokehbench.board import boards
from bokehbench.board.results import Result
from bokehbench.data import open_data
from bokehbench.data.image_io import write_photo
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import FOLDER, picture_file
from bokehbench.files import write_text
from bokehbench.machine import device_in_words, peak_memory
from bokehbench.measure.pictures import Picture, board_result, measured, target_files_hash, total_hash
from bokehbench.measure.stopwatch import Stopwatch, count_macs
from bokehbench.metrics.matched import COLUMNS as MATCHED
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.sample import Sample
from bokehbench.models.base import BokehModel
from bokehbench.models.weights import weights_hash
from bokehbench.names import as_first_recorded
from bokehbench.provenance import UNKNOWN, data_settings
from bokehbench.run_folder import InRunFolder


class ResultRecorder(InRunFolder):
    """Measure the columns of a board in a ``test`` and write its :class:`Result` to ``result.json``.

    Labels, hashes and provenance come from the model and the data that ran, never from what was typed, and other
    pictures than the board's are refused, from the command line and from Python alike. ``leaderboard add`` takes the
    file.

    Args:
        board: name or folder of the board.
        output: file to write; None = ``RUN/result.json``.
        variant: what tells this result from others of the method, for the tables; empty = nothing.
        pictures: how many of the first pictures to write, too: input, output, target and, where it is known, what is in
            focus, as PNG in ``pictures/`` beside the result. ``leaderboard figures`` makes its contact sheet of them.
    """

    def __init__(self, board: str, output: str | None = None, variant: str = "", pictures: int = 0) -> None:
        self.board = boards.read_board(boards.find(board))
        self.measurement = Measurement.of_protocol(self.board.evaluator, self.board.columns)
        self.output, self.variant, self.pictures = output, variant, pictures
        self.rows: list[Picture] = []
        self.first: Batch | None = None

    @property
    def path(self) -> Path:
        """Where the result goes."""
        return Path(self.output) if self.output else self.run_folder / "result.json"

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start with nothing; refuse other pictures than the board's before any is rendered."""
        self.refuse_other_pictures(trainer.datamodule)  # type: ignore[attr-defined]
        assert isinstance(pl_module, BokehModel)
        self.rows, self.first, self.asked = [], None, pl_module.matched
        if self.board.search is not None:
            if pl_module.matched not in (None, self.board.search):
                raise BokehbenchError(f"{self.board.name} says how strength is matched: leave out --matched.")
            pl_module.matched = self.board.search
        if pl_module.matched is not None:
            columns = dict.fromkeys((*self.measurement.columns, *MATCHED))
            self.measurement = replace(self.measurement, columns=tuple(columns))
        if pl_module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(pl_module.device)
        self.stopwatch = Stopwatch(pl_module)

    def refuse_other_pictures(self, data: Any) -> None:
        """Raise BokehbenchError for a data set that is not the board's."""
        # A board whose targets are pinned holds the settings, too, that it does not name, such as the given disparity's
        pinned = self.board.data and self.board.fingerprints
        defaults = data_settings(open_data(self.board.data["name"])) if pinned else {}
        self.board.refuse_settings(as_first_recorded(data_settings(data)), defaults=as_first_recorded(defaults))
        self.files_hash = target_files_hash(data)
        if self.files_hash is not None:
            self.board.refuse_targets(self.files_hash, len(data.pictures("test")))

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int, *args: object
    ) -> None:
        """Measure the board's columns."""
        self.first = self.first or batch
        for row in measured(batch, outputs["sample"], self.measurement, self.board.fingerprints):
            self.board.refuse_fingerprint(row.name, row.fingerprint)
            self.rows.append(row)
        if batch_idx * trainer.world_size + trainer.global_rank < self.pictures:  # batches of one, dealt out in turn
            write_pictures(self.path.parent / FOLDER, batch, outputs["sample"])

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gather over processes, write."""
        assert isinstance(pl_module, BokehModel)
        self.stopwatch.stop()
        self.search, pl_module.matched = pl_module.matched, self.asked
        rows, seconds = self.rows, self.stopwatch.seconds[1:] or self.stopwatch.seconds
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, (rows, seconds))
            rows = [row for part in gathered for row in part[0]]
            seconds = [one for part in gathered for one in part[1]]
        if trainer.is_global_zero:
            self.finish(trainer, pl_module, rows, seconds)

    def finish(self, trainer: Trainer, model: BokehModel, rows: list[Picture], seconds: list[float]) -> None:
        """Write what all processes have measured."""
        if len({row.name for row in rows}) < len(rows):
            raise BokehbenchError("two test pictures have the same name: a result needs each once.")
        write_text(self.path, self.result(trainer, model, rows, seconds).to_json())
        print(f"Result for {self.board.name}: {self.path}")

    def result(self, trainer: Trainer, model: BokehModel, rows: list[Picture], seconds: list[float]) -> Result:
        """Everything that is known about the test."""
        ours = not model.of_command
        matched = {"matched": self.search.describe()} if self.search else {}
        macs = count_macs(model, self.first) if ours and self.first is not None else None
        size = tuple(self.first["image"].shape[-2:]) if self.first is not None and macs is not None else None
        return board_result(
            self.board,
            rows,
            method=model.label,
            architecture=model.architecture_arguments,
            network=model.network(model.architecture_arguments),
            weights_hash=weights_hash(model) if ours else UNKNOWN,
            inference={"precision": str(trainer.precision), "data": data_settings(trainer.datamodule), **matched},  # type: ignore[attr-defined]
            target_hash=self.files_hash or total_hash({row.name: row.target for row in rows}),
            prediction_hash=total_hash({row.name: row.prediction for row in rows}),
            fingerprints={row.name: row.fingerprint for row in rows if row.fingerprint},
            training=model.provenance.training(),
            variant=self.variant,
            seed=model.provenance.seed,
            device=device_in_words(model.device, trainer.world_size),
            seconds_per_image=statistics.median(seconds) if seconds else None,
            peak_memory=peak_memory(model.device) if ours else None,
            parameters=sum(p.numel() for m in model.inference_modules() for p in m.parameters()) if ours else None,
            macs=macs,
            macs_size=size,
            data_lock=getattr(trainer.datamodule, "lock", ""),  # type: ignore[attr-defined]
        )


def write_pictures(folder: Path, batch: Batch, sample: Sample) -> None:
    """Store a batch's input, output, target and what is in focus, 8 bit, as scored."""
    maps = {"input": batch["image"], "output": sample.output, "target": sample.target, "in_focus": sample.in_focus}
    for kind, pictures in maps.items():
        for name, picture in zip(batch["name"], pictures if pictures is not None else [], strict=pictures is not None):
            write_photo(picture_file(folder, kind, name), picture.to(sample.output.dtype))
