"""Scores of picture files as tables: for people, and one row per picture for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import torch

from bokehbench.measure.folder_scores import PictureScores
from bokehbench.metrics.diagnostics import COLUMNS
from bokehbench.metrics.protocols import Protocol
from bokehbench.metrics.psnr import pooled_psnr

#: Column -> its title, digits, and whether more is better.
TITLES = {
    "psnr": ("PSNR dB", 4, True),
    "ssim": ("SSIM", 4, True),
    "ssim_gaussian": ("SSIM Gauss", 4, True),
    "ms_ssim": ("MS-SSIM", 4, True),
    "lpips": ("LPIPS", 4, False),
}


def mean(protocol: Protocol, column: str, pictures: Sequence[PictureScores]) -> float | str:
    """The protocol's average of a column over pictures, or why there is none: never a mean over some of them."""
    values = [picture.scores[protocol.name][column] for picture in pictures]
    reasons = [value for value in values if isinstance(value, str)]
    if reasons:
        return reasons[0]
    numbers = [value for value in values if isinstance(value, float)]
    if column == "psnr" and protocol.averaging == "pooled":
        return float(pooled_psnr(torch.tensor(numbers, dtype=torch.float64)))
    return math.fsum(numbers) / len(numbers)


def per_image(protocols: Sequence[Protocol], pictures: Sequence[PictureScores]) -> pd.DataFrame:
    """One row per method, protocol and picture; ``n/a`` where a value could not be had, empty where none is defined."""
    rows = []
    for protocol in protocols:
        for picture in pictures:
            found = picture.scores[protocol.name]
            scores = {column: found[column] for column in protocol.columns}
            scores = {column: "n/a" if isinstance(value, str) else value for column, value in scores.items()}
            row = {"method": picture.method, "protocol": protocol.name, "name": picture.name}
            rows.append({**row, **scores, **picture.diagnostics})
    return pd.DataFrame(rows)


def protocol_table(protocols: Sequence[Protocol], pictures: Sequence[PictureScores]) -> str:
    """Means, one line per protocol and method, the best method of each protocol first and its best values starred."""
    columns = [column for column in TITLES if any(column in protocol.columns for protocol in protocols)]
    methods = list(dict.fromkeys(picture.method for picture in pictures))
    lines, notes = [], {}
    wide = max(len("protocol"), *(len(protocol.name) for protocol in protocols))
    long = max(len("method"), *(len(method) for method in methods))
    head = "".join(f" {TITLES[column][0]:>11}" for column in columns)
    lines.append(f"{'protocol':<{wide}}  {'method':<{long}}{head}")
    for protocol in protocols:
        of = {method: [p for p in pictures if p.method == method] for method in methods}
        means = {m: {c: mean(protocol, c, of[m]) for c in protocol.columns} for m in methods}
        best = {c: _best([means[m][c] for m in methods], TITLES[c][2]) for c in protocol.columns}
        for method in sorted(methods, key=lambda m: -_number(means[m]["psnr"])):
            cells = ""
            for column in columns:
                value = means[method].get(column, "")
                if isinstance(value, str):
                    notes.update({f"{protocol.name}, {TITLES[column][0]}": value} if value else {})
                    cells += f" {'n/a' if value else '':>11}"
                    continue
                star = "*" if len(methods) > 1 and value == best[column] else " " if len(methods) > 1 else ""
                cells += f" {f'{value:.{TITLES[column][1]}f}{star}':>11}"
            lines.append(f"{protocol.name:<{wide}}  {method:<{long}}{cells}")
    return "\n".join([*lines, *_notes(notes)])


def _notes(notes: dict[str, str]) -> list[str]:
    """Each reason once, with the cells that it is the reason of."""
    lines = []
    for reason in dict.fromkeys(notes.values()):
        cells = [cell for cell, why in notes.items() if why == reason]
        protocols = list(dict.fromkeys(cell.split(", ")[0] for cell in cells))
        scores = list(dict.fromkeys(cell.split(", ")[1] for cell in cells))
        lines.append(f"{', '.join(scores)} of {', '.join(protocols)}: {reason}")
    return lines


def _number(value: float | str) -> float:
    return value if isinstance(value, float) else -math.inf


def _best(values: Sequence[float | str], more: bool) -> float | None:
    numbers = [value for value in values if isinstance(value, float)]
    return (max if more else min)(numbers) if numbers else None


def diagnostics_table(pictures: Sequence[PictureScores]) -> str:
    """Means of the columns of ``metrics.diagnostics`` over the pictures that have them, one line per column."""
    methods = list(dict.fromkeys(picture.method for picture in pictures))
    wide = max(11, *(len(method) + 1 for method in methods))
    lines = [f"{'diagnostics':<22}" + "".join(f" {method:>{wide}}" for method in methods)]
    for column, meaning in COLUMNS.items():
        cells = ""
        for method in methods:
            values = [p.diagnostics.get(column, math.nan) for p in pictures if p.method == method]
            known = [value for value in values if not math.isnan(value)]
            share = f"{math.fsum(known) / len(known):.4f}" if known else "-"
            cells += f" {share:>{wide}}"
        lines.append(f"{column:<22}{cells}   {meaning}")
    if not any(not math.isnan(p.diagnostics.get("psnr_in_focus", math.nan)) for p in pictures):
        lines.append("- : no values; columns of regions need --mask or --disparity.")
    return "\n".join(lines)
