"""The result of a test, made in the process that ran it."""

from __future__ import annotations

import datetime
import hashlib
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from bokehbench.batch import Batch, known
from bokehbench.board import boards
from bokehbench.board.identity import hash_files
from bokehbench.board.results import Result
from bokehbench.data.image_io import write_photo
from bokehbench.data.records import RecordSet
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import FOLDER, picture_file
from bokehbench.files import write_text
from bokehbench.machine import device_in_words
from bokehbench.measure.provenance import commit, dirty, peak_memory, versions
from bokehbench.measure.recipe import architecture, data_settings, depth_is_trained, training_recipe
from bokehbench.measure.stopwatch import Stopwatch, count_macs
from bokehbench.measure.weights_hash import weights_hash
from bokehbench.metrics.depth_mae import depth_mae
from bokehbench.metrics.diagnostics import COLUMNS, diagnose
from bokehbench.metrics.regions import in_focus_from_disparity
from bokehbench.metrics.scoring import score
from bokehbench.models.base import BokehModel
from bokehbench.run_folder import InRunFolder


class ResultRecorder(InRunFolder):
    """Score a ``test`` under a board's protocol and write its :class:`Result` to ``result.json``.

    Labels and hashes come from the model that ran, never from what was typed. ``leaderboard add`` takes the file.

    Args:
        board: name or folder of the board.
        output: file to write; None = ``RUN/result.json``.
        variant: what tells this result from others of the method, for the tables; empty = nothing.
        pictures: how many of the first pictures to write, too: input, output, target and, where it is known, what is in
            focus, as PNG in ``pictures/`` beside the result. ``leaderboard figures`` makes its contact sheet of them.
    """

    def __init__(self, board: str, output: str | None = None, variant: str = "", pictures: int = 0) -> None:
        self.board = boards.read_board(boards.find(board))
        self.output, self.variant, self.pictures = output, variant, pictures
        self.rows: list[dict[str, Any]] = []
        self.first: Batch | None = None

    @property
    def path(self) -> Path:
        """Where the result goes."""
        return Path(self.output) if self.output else self.run_folder / "result.json"

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin anew."""
        assert isinstance(pl_module, BokehModel)
        if other := self.board.other_pictures(data_settings(trainer)["data"]):
            raise BokehbenchError(f"These are not {self.board.name}'s pictures: {other}; give the board's setting.")
        self.rows, self.first = [], None
        self.missing: dict[str, str] = {}
        self.depth_trained = depth_is_trained(pl_module, trainer)
        if pl_module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(pl_module.device)
        self.stopwatch = Stopwatch(pl_module)
        self.stopwatch.__enter__()

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int, *args: object
    ) -> None:
        """Score the board's columns."""
        if not bool(known(batch, "bokeh").all()):
            raise BokehbenchError(f"{batch['name'][0]} has no target: the board {self.board.name} cannot score it.")
        self.first = self.first or batch
        scores = dict(score(self.board.evaluator, outputs["output"], batch["bokeh"]))
        self.missing |= {column: value for column, value in scores.items() if isinstance(value, str)}
        if set(self.board.columns) & set(COLUMNS):
            scores |= diagnose(outputs["output"], batch["bokeh"], in_focus(batch))
        if "depth_mae" in self.board.columns:
            scores |= own_depth(pl_module, batch, self.missing, self.depth_trained)
        for number, name in enumerate(batch["name"]):
            self.rows.append({
                "name": name,
                "scores": {k: float(v[number]) for k, v in scores.items() if isinstance(v, Tensor)},
                "prediction": picture_hash(outputs["output"][number]),
                "target": picture_hash(batch["bokeh"][number]),
            })  # fmt: skip
        if batch_idx * trainer.world_size + trainer.global_rank < self.pictures:  # batches of one, dealt out in turn
            write_pictures(self.path.parent / FOLDER, batch, outputs["output"])

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gather over processes, write."""
        assert isinstance(pl_module, BokehModel)
        self.stopwatch.__exit__()
        rows, seconds, missing = self.rows, self.stopwatch.seconds[1:] or self.stopwatch.seconds, self.missing
        if trainer.world_size > 1:
            gathered: list[Any] = [None] * trainer.world_size
            torch.distributed.all_gather_object(gathered, (rows, seconds, missing))
            rows = [row for part in gathered for row in part[0]]
            seconds = [one for part in gathered for one in part[1]]
            missing = {column: why for part in gathered for column, why in part[2].items()}
        if not trainer.is_global_zero:
            return
        if len({row["name"] for row in rows}) < len(rows):
            raise BokehbenchError("two test pictures have the same name: a result needs each once.")
        result = self.result(trainer, pl_module, rows, seconds, missing)
        write_text(self.path, result.to_json())
        print(f"Result for {self.board.name}: {self.path}")

    def result(
        self,
        trainer: Trainer,
        model: BokehModel,
        rows: list[dict[str, Any]],
        seconds: list[float],
        missing: Mapping[str, str],
    ) -> Result:
        """Everything that is known about the test."""
        training = training_recipe(model, trainer)
        count = sum(p.numel() for module in model.inference_modules() for p in module.parameters())
        macs = count_macs(model, self.first) if self.first is not None else None
        size = tuple(self.first["image"].shape[-2:]) if self.first is not None and macs is not None else None
        return Result(
            board=self.board.name,
            board_version=self.board.version,
            method=type(model).__name__,
            architecture=architecture(model),
            weights_hash=weights_hash(model.state_dict()),
            inference={"precision": str(trainer.precision), **data_settings(trainer)},
            protocol=self.board.evaluator.describe(),
            split=self.board.split,
            target_hash=target_hash(trainer, rows),
            prediction_hash=total_hash(rows, "prediction"),
            per_image={row["name"]: row["scores"] for row in rows},
            missing=dict(missing),
            training=training,
            variant=self.variant,
            seed=training.get("seed"),
            versions=versions(),
            commit=commit(),
            device=device_in_words(model.device, trainer.world_size),
            seconds_per_image=statistics.median(seconds) if seconds else None,
            peak_memory=peak_memory(model.device),
            parameters=count,
            macs=macs,
            macs_size=size,  # type: ignore[arg-type]
            flags=("dirty",) if dirty() else (),
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )


def in_focus(batch: Batch) -> Tensor | None:
    """What is in focus, B 1 H W; None where nothing tells.

    From exact disparity where there is one (the mask of synthetic scenes is of all objects, in focus or not), else
    from the subject's mask, else from the disparity that the method was given.
    """
    has = {key for key in batch if key != "name" and bool(known(batch, key).all())}
    aperture = batch["aperture"] if "aperture" in has else None
    if {"true_disparity", "focus", "aperture"} <= has:
        return in_focus_from_disparity(batch["true_disparity"], batch["focus"], aperture)
    if "mask" in has:
        return batch["mask"]
    if {"disparity", "focus"} <= has:
        return in_focus_from_disparity(batch["disparity"], batch["focus"], aperture)
    return None


def write_pictures(folder: Path, batch: Batch, output: Tensor) -> None:
    """Store a batch's input, output (B 3 H W in [0, 1]), target and what is in focus, 8 bit, as scored."""
    maps = {"input": batch["image"], "output": output, "target": batch["bokeh"]}
    mask = in_focus(batch)
    if mask is not None:
        maps["in_focus"] = mask.to(output.dtype)
    for kind, pictures in maps.items():
        for name, picture in zip(batch["name"], pictures, strict=True):
            write_photo(picture_file(folder, kind, name), picture)


def own_depth(model: LightningModule, batch: Batch, missing: dict[str, str], trained: bool = True) -> dict[str, Tensor]:
    """``depth_mae`` of a method's own depth network; noted in ``missing`` where it has none or did not train it."""
    if not trained or not bool(known(batch, "disparity").all()):
        missing["depth_mae"] = "no true disparity" if trained else "its depth network was not trained"
        return {}
    with torch.no_grad():
        predicted = predicted_disparity(model, batch)
    if predicted is None:
        missing["depth_mae"] = "no depth network"
        return {}
    return {"depth_mae": depth_mae(predicted, batch.get("true_disparity", batch["disparity"]))}


def predicted_disparity(model: LightningModule, batch: Batch) -> Tensor | None:
    """What a method itself takes for the disparity, B 1 H W; None where it only uses what it is given."""
    of_batch = getattr(model, "predicted_disparity", None)
    if of_batch is not None:
        found: Tensor | None = of_batch(batch)
        return found
    predict = getattr(getattr(model, "net", None), "predict_disparity", None)
    return None if predict is None else predict(batch["image"])


def picture_hash(picture: Tensor) -> str:
    """SHA-256 (hex) of a C H W picture's 8-bit values and its shape."""
    levels = picture.detach().clamp(0, 1).mul(255).round().byte().cpu().contiguous()
    return hashlib.sha256(f"{tuple(levels.shape)}".encode() + levels.numpy().tobytes()).hexdigest()


def total_hash(rows: list[dict[str, Any]], key: str) -> str:
    """One hash of all pictures, whatever the order."""
    lines = sorted(f"{row['name']}:{row[key]}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def target_hash(trainer: Trainer, rows: list[dict[str, Any]]) -> str:
    """Of the target files where these are files, as for folders of pictures; of the pictures where they are made."""
    pictures = getattr(trainer.datamodule, "test_set", None)  # type: ignore[attr-defined]
    if isinstance(pictures, RecordSet) and all("bokeh" in record.files for record in pictures.records):
        return hash_files({record.name: record.files["bokeh"] for record in pictures.records})
    return total_hash(rows, "target")
