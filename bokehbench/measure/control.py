"""Control of a method, measured in the process that renders it (docs/metrics/control.md)."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.board.results import Result
from bokehbench.board.statistics import mean, median
from bokehbench.data.control import APERTURES, LAMPS, PLANES, Control, eight_bit, lamp_places
from bokehbench.data.image_io import write_photo
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import FOLDER, picture_file
from bokehbench.files import write_text
from bokehbench.measure.pictures import Picture, picture_hash, total_hash
from bokehbench.measure.recorder import ResultRecorder
from bokehbench.metrics.control.columns import NO_RESPONSE
from bokehbench.metrics.control.light import highlight_energy, zero_psnr
from bokehbench.metrics.control.stack import stack
from bokehbench.metrics.control.sweep import Stack, Sweep, chart_focus
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.sample import Sample
from bokehbench.models.base import BokehModel
from bokehbench.provenance import NO_WEIGHTS
from bokehbench.tables import aligned, csv_text

#: What a result says of how it was measured; part of its identity.
PROTOCOL = "control-1"
#: Of ``control.csv``.
HEADS = ("scene", "plane", "K", "d", "pixels", "texture", "told", "measured")
FOCUS = ("focus_error", "focus_located", "focus_error_scenes", "focus_floor")
#: Column, the range of means that is right, and what is said of others.
FAILURES = (
    ("dose_rank", (0.9, 1.0), "Blur does not follow the aperture: rank correlation {:.2f}."),
    ("dose_slope", (0.9, 1.1), "Blur grows by {:.2f} px for each px that is asked for."),
    ("dose_knee", (math.inf, math.inf), "Blur stops growing at {:.0f} px."),
    ("dose_error", (0.0, 1.0), "Blur radii are {:.1f} px off on average."),
    ("zero_psnr", (40.0, math.inf), "Aperture 0 is not the input: {:.1f} dB."),
    ("focus_located", (0.75, 1.0), "Only {:.0%} of the charts have a focal plane that can be found."),
    ("focus_error", (0.0, 0.03), "Focus is {:.3f} of disparity off."),
    ("focus_floor", (0.0, 1.0), "{:.1f} px of blur are left in the focal plane."),
    ("leak_16", (-0.1, 0.1), "{:.0%} of the blurred side's light leaks over sharp borders."),
    ("highlight_energy_8", (0.9, 1.1), "Small lamps have {:.0%} of their light."),
)


@dataclass(frozen=True)
class Swept(Picture):
    """A measured sweep, chart or pair of lamp pictures, with its curves and the lines of ``control.csv``."""

    curves: dict[str, Any] = field(default_factory=dict)
    lines: tuple[dict[str, float], ...] = ()


class ControlRecorder(ResultRecorder):
    """Measure in a ``test`` on :class:`~bokehbench.data.Control` whether a method does what it is told.

    Curves are kept, not pictures, unless some are asked for. Prints the means and a sentence for each instrument that
    failed, writes ``control.csv``, and a :class:`Result` where scenes and size are the board's.

    Args:
        board: name or folder of the board.
        output: file of the result; None = ``RUN/result.json``.
        variant: what tells this result from others of the method, for the tables.
        pictures: of how many sweeps to write outputs and exact targets, too, as PNG in ``pictures/`` beside the result;
            1: of the first scene, with its front object in focus. ``report --work`` makes its strength slider of them.
        exact: measure the exact targets instead of what the method renders: the row that others are read beside.
    """

    def __init__(
        self, board: str = "synthetic-control", output: str | None = None, variant: str = "", pictures: int = 0,
        exact: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(board, output, variant, pictures)
        self.kept = {f"scene-{number // len(PLANES):03d}/{PLANES[number % len(PLANES)]}" for number in range(pictures)}
        self.measurement = Measurement.named(self.board.columns, self.board.evaluator)
        self.exact, self.refused, self.at = exact, "", ("", "")
        self.zero: np.ndarray | None = None
        self.sweep: Sweep | None = None
        self.ruler: Stack | None = None
        self.begin()

    def begin(self) -> None:
        """Forget what was measured of the row at hand."""
        self.sweep = None
        self.hashes: dict[str, tuple[str, str]] = {}
        self.found: dict[str, float | str] = {}
        self.curves: dict[str, Any] = {}

    def refuse_other_pictures(self, data: Any) -> None:
        """Other scenes than the board's are measured, but make no result; another data set is refused."""
        if not isinstance(data, Control):
            raise BokehbenchError(f"{type(data).__name__} has no sweeps of apertures: give --data control.")
        self.at, self.refused = ("", ""), ""
        self.begin()
        try:
            super().refuse_other_pictures(data)
        except BokehbenchError as error:
            self.files_hash, self.refused = None, str(error)

    @torch.no_grad()
    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int, *args: object
    ) -> None:
        """Measure one picture; a row is over where the next begins."""
        self.first = self.first or batch
        shown = batch["bokeh"] if self.exact else outputs["sample"].output
        output, image, target = (pixels(each[0]) for each in (shown, batch["image"], batch["bokeh"]))
        disparity = batch["disparity"][0, 0].cpu().numpy()
        name, focus, told = batch["name"][0], float(batch["focus"]), float(batch["aperture"])
        scene, plane, _ = name.split("/")
        if (scene, plane) != self.at:
            self.close(pl_module)
        if scene != self.at[0]:
            self.zero, self.ruler = None, None if scene == LAMPS else stack(image)
        self.at = scene, plane
        if "/".join(self.at) in self.kept:
            for kind, picture in (("output", output), ("target", target)):
                write_photo(picture_file(self.path.parent / FOLDER, kind, name), torch.from_numpy(picture))
        self.hashes[name] = picture_hash(shown[0]), picture_hash(batch["bokeh"][0])
        if self.ruler is None:
            radius = told * abs(float(disparity[0, 0]) - focus)
            places = lamp_places(image.shape[-1]).numpy()
            self.found[f"highlight_energy_{radius:.0f}"] = highlight_energy(output, image, places, radius)
        elif scene.startswith("chart"):
            found, self.curves = chart_focus(output, image, disparity, focus, told, self.ruler)
            self.found |= found
        elif told == 0:
            self.zero, self.found["zero_psnr"] = output, zero_psnr(output, image)
        else:
            if self.sweep is None:
                front = plane == "front"
                self.sweep = Sweep(image, disparity, focus, self.ruler, max(APERTURES), self.zero, front)
            self.sweep.add(told, output, target)

    def close(self, model: LightningModule) -> None:
        """End the row at hand, and measure it by the board's columns."""
        assert isinstance(model, BokehModel)
        lines: list[dict[str, float]] = []
        if self.sweep is not None:
            self.found |= self.sweep.scores()
            self.curves, lines = self.sweep.curves(), self.sweep.lines()
        found = dict(self.found)
        if not self.exact and not model.uses.aperture:
            found = {key: "takes no aperture" if value == NO_RESPONSE else value for key, value in found.items()}
        if not self.exact and not model.uses.focus:
            found |= {key: "takes no focus" for key in FOCUS if key in found}
        if found:
            scores = self.measurement.of(Sample(torch.zeros(1, 3, 1, 1), control=found))
            values = {key: value if isinstance(value, str) else float(value[0]) for key, value in scores.items()}
            made, wanted = (total_hash({name: each[n] for name, each in self.hashes.items()}) for n in (0, 1))
            curves = {key: np.round(value, 4).tolist() for key, value in self.curves.items()}
            self.rows.append(Swept("/".join(self.at), values, made, wanted, curves=curves, lines=tuple(lines)))
        self.begin()

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End what is open; gather over processes, print, write."""
        self.close(pl_module)
        super().on_test_end(trainer, pl_module)

    def finish(self, trainer: Trainer, model: BokehModel, rows: list[Picture], seconds: list[float]) -> None:
        """Print means and sentences, write ``control.csv`` and, for the board's scenes, the result."""
        rows = sorted(without_rare_knees(rows), key=lambda row: row.name)
        label = "Exact" if self.exact else model.label
        print("\n".join([f"Control of {label}:", report(rows, self.measurement.columns)]))
        lines = [
            [*row.name.split("/"), *(line[key] for key in HEADS[2:])]
            for row in rows if isinstance(row, Swept) for line in row.lines
        ]  # fmt: skip
        path = self.path.parent / "control.csv"
        write_text(path, csv_text(HEADS, lines))
        print(f"Radii, bin by bin: {path}")
        if self.refused:
            print(f"No result for {self.board.name}: {self.refused}")
        else:
            super().finish(trainer, model, rows, seconds)

    def result(self, trainer: Trainer, model: BokehModel, rows: list[Picture], seconds: list[float]) -> Result:
        """As the base, with the curves."""
        found = super().result(trainer, model, rows, seconds)
        inference = {**found.inference, "control": {"protocol": PROTOCOL, "apertures": list(APERTURES)}}
        curves = {row.name: row.curves for row in rows if isinstance(row, Swept) and row.curves}
        found = replace(found, inference=inference, curves=curves)
        if not self.exact:
            return found
        return replace(
            found, method="Exact", variant="", architecture={}, network={}, weights_hash=NO_WEIGHTS, training={},
            seed=None, seconds_per_image=None, parameters=0, macs=None, macs_size=None,
            flags=tuple(flag for flag in found.flags if flag == "dirty"),
        )  # fmt: skip


def pixels(picture: Tensor) -> np.ndarray:
    """As a file holds it, on the CPU."""
    return eight_bit(picture.detach().float().clamp(0, 1)).cpu().numpy()


def without_rare_knees(rows: list[Picture]) -> list[Picture]:
    """A knee is said where half of the sweeps have one: a single bend may be chance."""
    sweeps = [row for row in rows if "dose_slope" in row.scores and known(row, "dose_slope")]
    if 2 * sum(known(row, "dose_knee") for row in sweeps) >= len(sweeps):
        return rows
    why = "none: blur grows to the largest aperture"
    return [replace(row, scores=row.scores | {"dose_knee": why}) if known(row, "dose_knee") else row for row in rows]


def known(row: Picture, column: str) -> bool:
    """Whether a row has a value of a column."""
    value = row.scores.get(column, math.nan)
    return not isinstance(value, str) and not math.isnan(value)


def report(rows: list[Picture], columns: Any) -> str:
    """The means with their counts, and a sentence for each instrument that failed."""
    table, means = [], {}
    for column in columns:
        values = [float(row.scores[column.name]) for row in rows if known(row, column.name)]
        means[column.name] = (median if column.median else mean)(values)
        reasons = [value for row in rows if isinstance(value := row.scores.get(column.name), str)]
        shown = column.show(means[column.name]) if values else next(iter(reasons), "n/a")
        table.append([column.label, shown, str(len(values))])
    said = [sentence.format(means[name]) for name, (low, high), sentence in FAILURES
            if not math.isnan(means.get(name, math.nan)) and not low - 1e-9 <= means[name] <= high + 1e-9]  # fmt: skip
    if any(row.scores.get("dose_slope") == NO_RESPONSE for row in rows):
        said.insert(0, "It does not respond to the aperture.")
    return "\n".join([aligned(["", "mean", "of"], table, "<>>"), *said])
