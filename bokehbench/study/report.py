"""An analysis as text, Markdown, CSV and JSON."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from bokehbench import tables
from bokehbench.board.identity import plain
from bokehbench.counted import counted
from bokehbench.study.analysis import Analysis, PairResult, Strength
from bokehbench.study.bradley_terry import PRIOR
from bokehbench.study.votes import Rater
from bokehbench.templates import filled


def number(value: float, digits: int = 2, signed: bool = False) -> str:
    """Fixed digits, ``n/a`` for NaN, no minus before zero."""
    return "n/a" if math.isnan(value) else f"{value:{'+' if signed else ''}z.{digits}f}"


def percent(value: float) -> str:
    """0.123 as ``12 %``."""
    return "n/a" if math.isnan(value) else f"{100 * value:.0f} %"


def span(low: float, high: float) -> str:
    """An interval of shares in percent."""
    return "n/a" if math.isnan(low) or math.isnan(high) else f"[{100 * low:.0f}, {100 * high:.0f}]"


def p_value(p: float) -> str:
    """Three digits, ``< 0.001`` below."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def strength_rows(strengths: Sequence[Strength]) -> tuple[list[str], list[list[str]]]:
    """Heads and cells, the strongest first."""
    heads = ["method", "strength", "[raters]", "won", "lost", "ties", ""]
    return heads, [
        [
            row.method,
            number(row.strength, signed=True),
            "n/a" if math.isnan(row.low) else f"[{number(row.low, signed=True)}, {number(row.high, signed=True)}]",
            str(row.won), str(row.lost), str(row.ties), row.mark,
        ]
        for row in strengths
    ]  # fmt: skip


def pair_rows(pairs: Sequence[PairResult]) -> tuple[list[str], list[list[str]]]:
    """Heads and cells, in the order of the key's methods."""
    heads = ["method", "over", "share", "[exact]", "[raters]", "won", "lost", "ties", "p", "p (Holm)"]
    return heads, [
        [
            pair.first, pair.second,
            percent(pair.share.share),
            span(pair.share.low, pair.share.high) if pair.share.decided else "n/a",
            span(pair.low, pair.high),
            str(pair.share.won), str(pair.share.decided - pair.share.won), str(pair.ties),
            p_value(pair.share.p) if pair.share.decided else "n/a",
            p_value(pair.p_holm) if pair.share.decided else "n/a",
        ]
        for pair in pairs
    ]  # fmt: skip


def rater_rows(raters: Sequence[Rater], excluded: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Heads and cells, in the order of the files."""
    heads = ["rater", "pairs", "repeats alike", "catches passed", "seconds", "flags"]
    return heads, [
        [
            rater.id,
            str(len(rater.judgements)),
            f"{rater.same} of {rater.repeats}",
            f"{rater.caught} of {rater.catches}",
            number(rater.seconds, 1),
            ", ".join(filter(None, ["EXCLUDED" if rater.id in excluded else "", rater.flags])),
        ]
        for rater in raters
    ]


def console(analysis: Analysis) -> str:
    """What is printed."""
    return _filled("analysis.txt", analysis)


def markdown(analysis: Analysis, figure: str, problems: Sequence[str]) -> str:
    """The page; ``figure`` is the picture's file name, ``problems`` the files left out."""
    return _filled("analysis.md", analysis, figure=figure, problems=problems) + "\n"


def _filled(name: str, analysis: Analysis, **more: Any) -> str:
    return filled(
        "study", name, found=analysis, prior=f"{PRIOR:g}", strengths=strength_rows(analysis.strengths),
        pairs=pair_rows(analysis.pairs), raters=rater_rows(analysis.raters, analysis.excluded), counted=counted,
        number=number, percent=percent, span=span, p_value=p_value, aligned=tables.aligned, escape=tables.escape,
        table=partial(tables.markdown, special=tables.MARKUP), **more,
    )  # fmt: skip


def pairs_csv(analysis: Analysis) -> str:
    """One line per pair of methods, full precision; an empty cell is a number that does not exist."""
    heads = ["method", "over", "share", "exact_low", "exact_high", "raters_low", "raters_high", "won", "lost", "ties",
             "p", "p_holm"]  # fmt: skip
    lines = []
    for pair in analysis.pairs:
        share = pair.share
        numbers = map(tables.number, (share.share, share.low, share.high, pair.low, pair.high))
        lines.append([pair.first, pair.second, *numbers, share.won, share.decided - share.won, pair.ties,
                      f"{share.p:.6g}", f"{pair.p_holm:.6g}"])  # fmt: skip
    return tables.csv_text(heads, lines)


def judgements_csv(analysis: Analysis) -> str:
    """One line per vote that counts, for other programs: value 1 = method, -1 = over, 0 = no preference."""
    lines = [
        (j.rater, j.picture, j.first, j.second, j.value, j.side)
        for rater in analysis.raters
        if rater.id not in analysis.excluded
        for j in rater.judgements
    ]
    return tables.csv_text(["rater", "picture", "method", "over", "value", "side"], lines)


def as_json(analysis: Analysis, problems: Sequence[str]) -> str:
    """All numbers; NaN becomes null."""
    content = asdict(analysis)
    key, raters = content.pop("key"), content.pop("raters")
    for rater, known in zip(raters, analysis.raters, strict=True):
        rater |= {"pairs": len(rater.pop("judgements")), "flags": known.flags}
    content |= {"study": key["study"], "version": key["version"], "prior": PRIOR, "per_rater": raters,
                "raters": len(raters) - len(analysis.excluded), "left_out": list(problems)}  # fmt: skip
    return json.dumps(plain(content), indent=1, ensure_ascii=False) + "\n"
