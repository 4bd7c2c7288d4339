"""A board as CSV (one line per score) and LaTeX (booktabs): pure functions of its standings."""

from __future__ import annotations

import csv
import io
import math

from bokehbench.board.columns import Column
from bokehbench.board.reported import Beside, column_of
from bokehbench.board.standings import Row, Standings

CSV_FIELDS = (
    "board", "version", "method", "id", "rank", "score", "mean", "low", "high", "pictures", "published", "difference",
    "status", "source", "why",
)  # fmt: skip


def csv_text(standings: Standings) -> str:
    """Every score of every result, with the published value beside it; quoted ones have no ``mean``."""
    board = standings.board
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_FIELDS, restval="", lineterminator="\n")
    writer.writeheader()
    common = {"board": board.name, "version": board.version}
    for row in standings.rows:
        for column in board.scores:
            mean = row.means[column.name]
            line = {
                **common,
                "method": row.label,
                "id": row.result.id,
                "rank": "" if row.rank is None else row.rank,
                "score": column.name,
                "mean": _number(mean.mean),
                "low": _number(mean.low),
                "high": _number(mean.high),
                "pictures": mean.count,
                "why": row.reason or ("" if mean.count else row.result.missing.get(column.name, "not measured")),
            }
            writer.writerow(line)
    for each in standings.beside:
        reported = each.reported
        writer.writerow(
            {
                **common,
                "method": reported.method,
                "score": column_of(board, reported) or reported.metric,
                "mean": "" if each.ours is None else _number(each.ours),
                "published": reported.value,
                "difference": "" if each.difference is None else _number(each.difference),
                "status": each.status,
                "source": reported.source,
                "why": "; ".join(filter(None, (each.why, reported.flag, reported.note))),
            }
        )
    return out.getvalue()


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def latex(standings: Standings) -> str:
    """A ``tabular`` to ``\\input``: ranked rows with intervals, then published ones, which are not ranked."""
    columns = standings.board.scores
    lines = [
        f"% {standings.board.name}, version {standings.board.version}; written by bokehbench leaderboard render",
        "% needs \\usepackage{booktabs}",
        "\\begin{tabular}{l" + "r" * len(columns) + "}",
        "\\toprule",
        " & ".join(["Method", *(_head(column) for column in columns)]) + " \\\\",
        "\\midrule",
    ]
    lines += [" & ".join([escape(row.label), *(_cell(row, c) for c in columns)]) + " \\\\" for row in standings.ranked]
    published = _published(standings)
    if published:
        lines += ["\\midrule"] if standings.ranked else []
        lines += [f"\\multicolumn{{{len(columns) + 1}}}{{l}}{{\\emph{{published, not ranked}}}} \\\\"]
        lines += published
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _head(column: Column) -> str:
    arrow = {"higher": " $\\uparrow$", "lower": " $\\downarrow$", "zero": ""}[column.better]
    return escape(column.label) + arrow


def _cell(row: Row, column: Column) -> str:
    mean = row.means[column.name]
    if not mean.count:
        return "--"
    text = escape(column.show(mean.mean))
    text = {1: f"\\textbf{{{text}}}", 2: f"\\underline{{{text}}}"}.get(row.marks.get(column.name, 0), text)
    return f"{text} {{\\tiny [{column.show(mean.low)}, {column.show(mean.high)}]}}"


def _published(standings: Standings) -> list[str]:
    groups: dict[tuple[str, str], dict[str, Beside]] = {}
    for each in standings.beside:
        column = column_of(standings.board, each.reported)
        if column is not None and each.reported.split == standings.board.split:
            groups.setdefault((each.reported.method, each.reported.source), {})[column] = each
    lines = []
    for (method, _), scores in groups.items():
        cells = [scores[c.name].reported.value if c.name in scores else "--" for c in standings.board.scores]
        lines.append(" & ".join([escape(method), *cells]) + " \\\\")
    return lines


def escape(text: str) -> str:
    """``text`` for LaTeX."""
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(special.get(one, f"\\{one}" if one in "&%$#_{}" else one) for one in text)
