"""An analysis as text, Markdown, CSV and JSON."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from bokehbench import tables
from bokehbench.board.identity import plain
from bokehbench.counted import counted
from bokehbench.study.analysis import Analysis, PairResult, Strength
from bokehbench.study.bradley_terry import PRIOR
from bokehbench.study.votes import Rater
from bokehbench.tables import MARKUP, escape

NOTES = (
    "Shares are of decided votes: 'no preference' is counted apart and is in no test. [exact]: Clopper-Pearson 95 % "
    "interval; p: exact two-sided binomial test against one half, p (Holm) corrected for all pairs. Both take votes as "
    "independent, which votes of one rater are not; [raters] is the 95 % bootstrap interval over raters: trust the "
    "wider.",
    "Strength: Bradley-Terry with Davidson's ties, log scale, mean 0; a difference of d means that the stronger wins "
    "1 / (1 + exp(-d)) of decided votes: 0.5 is 62 %, 1 is 73 %, 2 is 88 %. Every method starts with "
    f"{PRIOR:g} wins and losses against an average one, so that strengths stay finite; where a method was never beaten "
    "or never chosen, only this keeps it so: read it as 'at least' or 'at most'. Interval: 95 % bootstrap over raters.",
    "Agreement: Krippendorff's alpha (nominal, each pair in both orders): 1 full, 0 chance. Different taste lowers it "
    "as carelessness does.",
)
NOT_JOINED = "WARNING: votes do not join all methods; strengths of groups that never met cannot be compared."


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


def facts(analysis: Analysis) -> list[str]:
    """The figures that need no table, one sentence each."""
    raters = len(analysis.raters) - len(analysis.excluded)
    left = analysis.left
    lines = [
        f"{counted(raters, 'rater')}, {counted(analysis.votes, 'counted vote')}, {analysis.ties} of them 'no "
        f"preference'{f'; {len(analysis.excluded)} excluded' if analysis.excluded else ''}.",
        f"Position: the left photo won {percent(left.share)} {span(left.low, left.high)} of the decided votes "
        f"(p {p_value(left.p)} for no bias).",
        f"Agreement of raters: alpha {number(analysis.alpha)}; two raters of the same pair gave the same answer in "
        f"{percent(analysis.agreement)} of cases (pairs that two or more judged: {analysis.couples_units}).",
        f"Consistency: {analysis.same} of {analysis.repeats} repeated pairs (sides exchanged) got the same answer."
        if analysis.repeats
        else "Consistency: no pair was shown twice.",
    ]
    return [*lines, NOT_JOINED] if not analysis.joined else lines


def console(analysis: Analysis) -> str:
    """What is printed."""
    parts = [
        "\n".join(facts(analysis)),
        tables.aligned(*strength_rows(analysis.strengths)),
        tables.aligned(*pair_rows(analysis.pairs)),
        tables.aligned(*rater_rows(analysis.raters, analysis.excluded)),
        "\n".join(NOTES),
    ]
    return "\n\n".join(parts)


def markdown(analysis: Analysis, figure: str, problems: Sequence[str]) -> str:
    """The page; ``figure`` is the picture's file name, ``problems`` the files left out."""
    key = analysis.key
    parts = [
        f"# {escape(key.title)}",
        "<!-- Written by `bokehbench study analyse`. -->",
        f"Question: *{escape(key.question)}* Study `{key.study}`, version `{key.version}`, "
        f"{counted(len(key.inputs), 'photo')}, {len(key.methods)} methods.",
        "\n".join(f"- {line}" for line in facts(analysis)),
        f"![Strengths and shares with intervals]({figure})",
        "## Strengths",
        tables.markdown(*strength_rows(analysis.strengths), MARKUP),
        "## Pairs of methods",
        tables.markdown(*pair_rows(analysis.pairs), MARKUP),
        "## Raters",
        tables.markdown(*rater_rows(analysis.raters, analysis.excluded), MARKUP),
    ]
    if problems:
        parts += ["## Files left out", "\n".join(f"- {escape(problem)}" for problem in problems)]
    return "\n\n".join([*parts, "## How to read this", *NOTES]) + "\n"


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
