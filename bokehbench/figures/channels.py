"""Quality against the number of feature channels (Wang et al. 2018, DeepLens, Figure 12)."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokehbench.board.results import Result
from bokehbench.board.seeds import but_for_seed, over_seeds
from bokehbench.board.standings import Standings
from bokehbench.board.statistics import Interval, differences, interval, mean
from bokehbench.errors import BokehbenchError
from bokehbench.figures import style
from bokehbench.metrics.columns import find_column

SCORES = ("psnr", "ssim")


@dataclass(frozen=True)
class Step:
    """One number of channels on a curve; all by score.

    Attributes:
        means: over pictures (and over seeds, where there are several).
        gaps: paired difference to the curve's largest number of channels; at that one 0 without interval.
        runs: mean over pictures of each training.
    """

    channels: int
    means: dict[str, float]
    gaps: dict[str, Interval]
    runs: dict[str, list[float]]


@dataclass(frozen=True)
class Curve:
    """Results of one method that differ in ``channels`` alone."""

    label: str
    steps: tuple[Step, ...]


def curves(standings: Standings) -> list[Curve]:
    """One curve per group of ranked results that differ in ``architecture["channels"]`` (and seed) alone.

    Raises:
        NothingToDraw: no two such results.
    """
    groups: dict[str, dict[int, list[Result]]] = {}
    for row in standings.ranked:
        channels = row.result.architecture.get("channels")
        if isinstance(channels, int):
            curve = groups.setdefault(but_for_seed(row.result, free={"channels"}), {})
            curve.setdefault(channels, []).append(row.result)
    found = [Curve(g[max(g)][0].method, _steps(g)) for g in groups.values() if len(g) > 1]
    if not found:
        raise style.NothingToDraw("channel curve: no two ranked results differ in their 'channels' alone.")
    return sorted(found, key=lambda curve: (curve.label, curve.steps[0].channels))


def _steps(group: dict[int, list[Result]]) -> tuple[Step, ...]:
    values = {channels: {s: over_seeds(results, s) for s in SCORES} for channels, results in sorted(group.items())}
    largest = values[max(values)]
    steps = []
    for channels, scores in values.items():
        gaps = {}
        for score in SCORES:
            try:
                gaps[score] = interval(differences(scores[score], largest[score]).tolist())
            except BokehbenchError:  # a perfect picture in one of the two, or the score was not measured
                gaps[score] = Interval(math.nan, math.nan, math.nan, 0)
        means = {score: mean(scores[score].values()) for score in SCORES}
        runs = {score: [mean(result.values(score).values()) for result in group[channels]] for score in SCORES}
        steps.append(Step(channels, means, gaps, runs))
    return tuple(steps)


def draw(standings: Standings, path: Path) -> Path:
    """Write the figure; raises NothingToDraw as :func:`curves` does."""
    data = curves(standings)
    return style.paint(path, 3.6, lambda figure: _fill(figure, standings, data))


def _fill(figure: Any, standings: Standings, data: list[Curve]) -> None:
    high = figure.get_figheight()
    style.head(figure, "Quality against the number of feature channels", standings.board.title)
    style.foot(
        figure,
        "Bars: 95 % intervals, over pictures, of the paired difference to the most channels (dashed line).",
        "Rings: single trainings, where there are several seeds. A difference smaller than theirs may be chance.",
    )
    for number, score in enumerate(SCORES):
        axes = figure.add_axes((0.085 + number * 0.495, 0.82 / high, 0.405, 1 - 1.42 / high))
        axes.set_xscale("log", base=2)
        ticks = sorted({step.channels for curve in data for step in curve.steps})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("feature channels")
        axes.set_ylabel(find_column(score).label)
        for curve, colour in zip(data, style.CYCLE * len(data), strict=False):
            top = curve.steps[-1].means[score]
            known = [step for step in curve.steps if math.isfinite(step.means[score])]
            xs, ys = [step.channels for step in known], [step.means[score] for step in known]
            if not known:
                continue
            if math.isfinite(top):
                axes.plot([ticks[0], curve.steps[-1].channels], [top, top], "--", color=colour, lw=0.8, alpha=0.7)
            axes.plot(xs, ys, "-o", color=colour, ms=5.5, lw=1.2)
            for step in known:
                if len(step.runs[score]) > 1:
                    rings = [step.channels] * len(step.runs[score])
                    axes.plot(rings, step.runs[score], "o", color=colour, ms=5, mfc="none", mew=1)
                low, up = step.gaps[score].low, step.gaps[score].high
                if step is not curve.steps[-1] and math.isfinite(low):
                    axes.plot([step.channels] * 2, [top + low, top + up], color=colour, lw=2.4, alpha=0.4)
            axes.annotate(style.short(curve.label, 24), (xs[-1], ys[-1]), xytext=(-2, 7), textcoords="offset points",
                          color=colour, ha="right", va="bottom", fontsize=8.5)  # fmt: skip
        axes.margins(x=0.06, y=0.16)
