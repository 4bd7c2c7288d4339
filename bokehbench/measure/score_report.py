"""Scores of picture files as tables: means for a terminal, and one row per picture for programs."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice, product

from bokehbench.board import statistics
from bokehbench.f_numbers import f_number_in, grouped, written
from bokehbench.measure.folder_scores import PictureScores
from bokehbench.metrics.columns import find_column
from bokehbench.metrics.measurement import TOO_SMALL, Measurement
from bokehbench.metrics.protocols import Protocol
from bokehbench.tables import aligned, csv_text

#: Shown of every score: outputs of one program may differ in the fourth digit.
DECIMALS = 4


def mean(measurement: Measurement, column: str, pictures: Sequence[PictureScores]) -> float | str:
    """The protocol's average of a column over pictures, or why there is none: never a mean over some of them."""
    values = [picture.scores[measurement.protocol.name][column] for picture in pictures]
    reason = next((value for value in values if isinstance(value, str)), None)
    return reason or measurement.mean(column, [value for value in values if isinstance(value, float)])


def per_image(protocols: Sequence[Protocol], pictures: Sequence[PictureScores]) -> str:
    """CSV with one row per method, protocol and picture; ``n/a`` where a value could not be had, else empty.

    With a column ``f_number`` where names of pictures end with one.
    """
    columns = list(dict.fromkeys(column for protocol in protocols for column in protocol.columns))
    more = list(pictures[0].more) if pictures else []
    apertures = {picture.name: number for picture in pictures if (number := f_number_in(picture.name))}
    rows = []
    for protocol in protocols:
        for picture in pictures:
            found = picture.scores[protocol.name]
            scores = ["n/a" if isinstance(value := found.get(column), str) else value for column in columns]
            besides = [None if math.isnan(number := _number(value)) else number for value in picture.more.values()]
            aperture = [apertures.get(picture.name)] if apertures else []
            rows.append([picture.method, protocol.name, picture.name, *aperture, *scores, *besides])
    return csv_text(["method", "protocol", "name", *(["f_number"] if apertures else []), *columns, *more], rows)


def _number(value: float | str) -> float:
    """NaN where a column has no meaning for a picture."""
    return math.nan if isinstance(value, str) else value


def protocol_table(protocols: Sequence[Protocol], pictures: Sequence[PictureScores]) -> str:
    """Means, one line per protocol and method, the best method of each protocol first and its best values starred."""
    measured = [Measurement.of_protocol(protocol) for protocol in protocols]
    columns = list(dict.fromkeys(column for each in measured for column in each.columns))
    methods = list(dict.fromkeys(picture.method for picture in pictures))
    of = {method: [picture for picture in pictures if picture.method == method] for method in methods}
    rows, reasons = [], []
    for each in measured:
        means = {m: {c.name: mean(each, c.name, of[m]) for c in each.columns} for m in methods}
        good = {m: {c.name: c.goodness(_number(means[m][c.name])) for c in each.columns} for m in methods}
        for method in sorted(methods, key=lambda m: -good[m]["psnr"]):
            cells = []
            for column in columns:
                value = means[method].get(column.name, "")
                if isinstance(value, str):
                    reasons += [(value, column.label, each.protocol.name)] if value else []
                    cells.append("n/a" if value else "")
                else:
                    best = len(methods) > 1 and good[method][column.name] == max(g[column.name] for g in good.values())
                    cells.append(column.show(value, decimals=DECIMALS) + ("*" if best else ""))
            rows.append([each.protocol.name, method, *cells])
    table = aligned(["protocol", "method", *(column.label for column in columns)], rows, "<<>")
    return "\n".join([table, *_notes(reasons)])


def f_number_table(protocols: Sequence[Protocol], pictures: Sequence[PictureScores]) -> str:
    """Means over the pictures whose names end with one f-number; empty where there are not several."""
    groups = grouped({picture.name: number for picture in pictures if (number := f_number_in(picture.name))})
    measured = [Measurement.of_protocol(protocol) for protocol in protocols]
    columns = list(dict.fromkeys(column for each in measured for column in each.columns))
    rows = []
    for each, method in product(measured, dict.fromkeys(picture.method for picture in pictures)):
        for number, names in groups.items():
            part = [picture for picture in pictures if picture.method == method and picture.name in names]
            means = {column.name: mean(each, column.name, part) for column in each.columns}
            shown = [
                "" if value is None else "n/a" if isinstance(value, str) else column.show(value, decimals=DECIMALS)
                for column in columns
                for value in [means.get(column.name)]
            ]
            rows.append([each.protocol.name, method, f"f/{written(number)}", str(len(part)), *shown])
    heads = ["protocol", "method", "f-number", "pictures", *(column.label for column in columns)]
    return aligned(heads, rows, "<<>") if rows else ""


def _notes(reasons: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Each reason once, with the scores and protocols that it is the reason of."""
    for reason in dict.fromkeys(reason for reason, _, _ in reasons):
        scores = dict.fromkeys(label for why, label, _ in reasons if why == reason)
        protocols = dict.fromkeys(protocol for why, _, protocol in reasons if why == reason)
        yield f"{', '.join(scores)} of {', '.join(protocols)}: {reason}"


def besides_table(pictures: Sequence[PictureScores]) -> str:
    """Means of the columns of no protocol over the pictures that have them, one line per column."""
    methods = list(dict.fromkeys(picture.method for picture in pictures))
    rows, lacking, reasons = [], False, list[str]()
    for name in pictures[0].more:
        column = find_column(name)
        cells = []
        for method in methods:
            average = statistics.mean(_number(each.more[name]) for each in pictures if each.method == method)
            cells.append("-" if math.isnan(average) else column.show(average, decimals=DECIMALS))
            lacking = lacking or (math.isnan(average) and "in_focus" in column.needs)
        rows.append([name, *cells, column.about])
        small = (v for each in pictures if isinstance(v := each.more[name], str) and v.startswith(TOO_SMALL))
        reasons += [f"\n{name}: {why}" for why in islice(small, 1)]
    table = aligned(["besides", *methods, ""], rows, "<" + ">" * len(methods) + "<")
    return table + "\n- : no values; columns of regions need --mask or --disparity." * lacking + "".join(reasons)
