"""Loss and validation score over the steps of a staged training, from what CSVLogger wrote."""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from bokehbench.figures import style
from bokehbench.metrics.columns import variant_of

#: Validation scores, the first that a stage has is drawn.
SCORES = ("psnr", "coarse_psnr", "depth_mae", "ssim")
#: The axes of what :class:`bokehbench.callbacks.ControlProbe` logged.
CONTROL = "dose_slope"
#: Share of a stage's points that the smoothed line averages over.
SMOOTH = 0.08
#: Inches of the title and of a run.
HEAD, ROW = 0.6, 1.95
#: Rows of a figure; more runs go on in the next one.
MOST_RUNS = 5


@dataclass(frozen=True)
class Stage:
    """One stage of a run: its losses and scores by step, ascending.

    ``score`` names the validation score, or is empty; ``identity`` is that of the identity baseline, NaN where unknown.
    ``control`` is the dose slope of :class:`bokehbench.callbacks.ControlProbe`, where there was one.
    """

    name: str
    losses: tuple[tuple[int, float], ...]
    score: str
    scores: tuple[tuple[int, float], ...]
    identity: float
    control: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Run:
    """A training: its stages in order."""

    label: str
    stages: tuple[Stage, ...]


def read_run(label: str, files: Sequence[Path]) -> Run:
    """The run of one ``metrics.csv``, or of several, oldest first, where it was resumed into a new folder.

    What an earlier file has beyond the step at which the next one began was lost with its process and is left out.

    Raises:
        NothingToDraw: no training in the files.
    """
    table = pd.DataFrame({"step": [], "epoch": []})
    for file in files:
        with suppress(pd.errors.EmptyDataError):  # killed before its first line
            read = pd.read_csv(file).apply(pd.to_numeric, errors="coerce").dropna(subset="step")
            table = pd.concat([table[table["step"] < read["step"].min()], read])
    table = table.sort_values("step", kind="stable", ignore_index=True)  # a validation stays behind its step
    losses = table.filter(regex=r"(?<!^val)/loss$").dropna(axis="columns", how="all")
    names = [str(losses.columns[at]) for at in losses.notna().to_numpy().argmax(0).argsort()]
    if not names:
        raise style.NothingToDraw(f"training curves: {label} has no logged loss.")
    return Run(label, tuple(_stage(name.removesuffix("/loss"), number, table) for number, name in enumerate(names)))


def _stage(name: str, number: int, table: pd.DataFrame) -> Stage:
    epochs = table["epoch"].fillna(number)  # one epoch is one stage
    mine = table[epochs.isin(epochs[table[f"{name}/loss"].notna()])]
    score = next((score for score in SCORES if _points(mine, f"val/{score}")), "")
    identity = _points(mine, f"val/identity_{score}")
    return Stage(
        name, _points(table, f"{name}/loss"), score, _points(mine, f"val/{score}"),
        identity[-1][1] if identity else math.nan, _points(mine, "control/slope"),
    )  # fmt: skip


def _points(table: pd.DataFrame, column: str) -> tuple[tuple[int, float], ...]:
    """(step, value) where there is a value."""
    if column not in table:
        return ()
    known = table.dropna(subset=column)
    return tuple(zip(known["step"].astype(int).tolist(), known[column].tolist(), strict=True))


def smoothed(values: Sequence[float]) -> list[float]:
    """Centred running mean over :data:`SMOOTH` of the values; at the ends over the half that there is."""
    half = max(1, round(len(values) * SMOOTH / 2)) if len(values) > 2 else 0
    return pd.Series(values).rolling(2 * half + 1, center=True, min_periods=1).mean().tolist()


def find_runs(work: Path) -> dict[str, list[Path]]:
    """Experiment -> ``metrics.csv`` of its last fit, oldest first, below a suite's folder or a folder of fits.

    A fit's folder is ``EXPERIMENT/fit-HASH``, or one in which the runner left a ``fit.log``.
    """
    found: dict[str, list[Path]] = {}
    for folder in sorted(path for path in work.glob("*") if path.is_dir()):
        places = [folder] if (folder / "fit.log").is_file() else sorted(folder.glob("fit-*"))
        fits = [files for place in places if (files := sorted(place.glob("**/metrics.csv"), key=_version))]
        if fits:
            found[folder.name] = max(fits, key=lambda files: files[-1].stat().st_mtime)
    return found


def read_runs(work: Path | None) -> list[Run]:
    """The trainings below a suite's folder.

    Raises:
        NothingToDraw: no folder, or no training in it.
    """
    if work is None:
        raise style.NothingToDraw("training curves: give --work, the folder of the benchmark that trained.")
    runs = []
    for label, files in find_runs(work).items():
        with suppress(style.NothingToDraw):  # killed before its first line
            runs.append(read_run(label, files))
    return runs


def _version(file: Path) -> tuple[int, str]:
    number = re.fullmatch(r"version_(\d+)", file.parent.name)
    return (int(number[1]) if number else -1), str(file)


def draw_all(runs: Sequence[Run], path: Path) -> list[Path]:
    """Write ``path``, and ``NAME-2.png`` and so on where there are more than :data:`MOST_RUNS` runs.

    Raises:
        NothingToDraw: no runs.
    """
    if not runs:
        raise style.NothingToDraw("training curves: there is no training with a metrics.csv to draw.")
    pages = [runs[start : start + MOST_RUNS] for start in range(0, len(runs), MOST_RUNS)]
    numbers = ["", *(f"-{number}" for number in range(2, len(pages) + 1))]
    return [draw(p, path.with_name(f"{path.stem}{n}{path.suffix}")) for p, n in zip(pages, numbers, strict=True)]


def draw(runs: Sequence[Run], path: Path) -> Path:
    """Write one figure: a row per run, its loss at the left and its validation score at the right."""
    return style.paint(path, HEAD + ROW * len(runs), lambda figure: _fill(figure, runs))


def _fill(figure: Any, runs: Sequence[Run]) -> None:
    high = figure.get_figheight()
    style.head(figure, "Training", "faint: as logged · line: running mean · right: validation, dotted: identity")
    for place, run in enumerate(runs):
        low = high - HEAD - (place + 1) * ROW + 0.48
        left = figure.add_axes((0.08, low / high, 0.4, 1.05 / high))
        left.set_title(style.short(run.label, 40), fontweight="bold", pad=14)
        left.set_ylabel("loss (log)")
        left.set_yscale("log")
        _losses(left, run)
        _scores(figure, [0.575, low / high, 0.41, 1.05 / high], run, left.get_xlim())
        left.set_xlabel("optimiser step")


def _losses(axes: Any, run: Run) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    colours = _colours(run)
    for stage in run.stages:
        colour = colours[stage.name]
        steps, values = zip(*stage.losses, strict=True)
        axes.plot(steps, values, color=colour, lw=0.7, alpha=0.3)
        axes.plot(steps, smoothed(values), "o-" if len(steps) < 4 else "-", color=colour, lw=1.5, ms=3)
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _borders(axes, run.stages, colours)


def _colours(run: Run) -> dict[str, str]:
    return {stage.name: style.CYCLE[number % len(style.CYCLE)] for number, stage in enumerate(run.stages)}


def _borders(axes: Any, stages: Sequence[Stage], colours: dict[str, str]) -> None:
    """A line where each stage begins, its name at the top; of stages too short for their names the longest have one."""
    low, up = axes.get_xlim()
    starts = [stage.losses[0][0] for stage in stages]
    letter = (up - low) * axes.figure.dpi / 100 * 6.2 / axes.get_window_extent().width  # of this size, in steps
    lengths = [end - start for start, end in pairwise([*starts, up])]
    taken: list[tuple[float, float]] = []
    for _, start, stage in sorted(zip(lengths, starts, stages, strict=True), key=lambda each: -each[0]):
        if start != starts[0]:
            axes.axvline(start, color=style.GREY, lw=0.8)
        name = style.short(stage.name, max(4, int((up - low) / letter)))
        left = min(start, up - len(name) * letter)
        right = left + len(name) * letter
        if all(right <= other[0] or left >= other[1] for other in taken):
            taken.append((left, right))
            axes.annotate(name, (left, 1), xycoords=axes.get_xaxis_transform(), xytext=(1, 2),
                          textcoords="offset points", fontsize=7.5, color=colours[stage.name], va="bottom")  # fmt: skip


def _scores(figure: Any, box: list[float], run: Run, limits: tuple[float, float]) -> None:
    """Validation scores, and control where it was probed; one pair of axes for each kind, side by side."""
    kinds = list(dict.fromkeys(stage.score for stage in run.stages if stage.score))
    kinds += [CONTROL] if any(stage.control for stage in run.stages) else []
    colours = _colours(run)
    gap = 0.095
    wide = (box[2] - gap * (len(kinds) - 1)) / max(len(kinds), 1)
    for number, kind in enumerate(kinds):
        axes = figure.add_axes((box[0] + number * (wide + gap), box[1], wide, box[3]))
        points = {each: each.control if kind == CONTROL else each.scores for each in run.stages}
        stages = [each for each in run.stages if points[each] and kind in (CONTROL, each.score)]
        for stage in stages:
            steps, values = zip(*points[stage], strict=True)
            axes.plot(steps, values, "-o", color=colours[stage.name], ms=3 if len(steps) < 30 else 1.5, lw=1.3)
            if kind == CONTROL:
                axes.axhline(1, color=style.GREY, lw=1.2, ls=":")
            elif math.isfinite(stage.identity):
                ends = [stage.losses[0][0], stage.losses[-1][0]]
                axes.plot(ends, [stage.identity] * 2, ":", color=style.GREY, lw=1.2)
        if len(kinds) == 1:
            axes.set_xlim(*limits)
        _borders(axes, stages, colours)
        axes.set_ylabel(variant_of(kind).label)
        axes.set_xlabel("optimiser step")
        axes.locator_params(axis="x", nbins=4)
        axes.margins(y=0.12)
